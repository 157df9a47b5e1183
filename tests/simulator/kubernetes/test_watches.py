"""Watches: changes in order, resumed, filtered, ended."""

from __future__ import annotations

import json

import pytest

from multicluster.simulator.clock import ManualClock

from .conftest import Api

MAPS = "/api/v1/namespaces/default/configmaps"
OTHERS = "&fieldSelector=metadata.name%21%3Dkube-root-ca.crt"


@pytest.fixture
def watch(api):
    """Start a watch; give its events one by one."""

    def start(query=""):
        response = api.request("GET", f"{MAPS}?watch=true{OTHERS}{query}", stream=True)
        assert response.status_code == 200
        return (json.loads(line) for line in response.iter_lines(chunk_size=1))

    return start


def put(api, name, data="1", **metadata):
    return api("POST", MAPS, {"metadata": {"name": name, **metadata}, "data": {"a": data}})[1]


def test_changes_arrive_in_order(api, watch):
    version = api("GET", MAPS)[1]["metadata"]["resourceVersion"]
    events = watch(f"&resourceVersion={version}")

    put(api, "m")
    api("PATCH", f"{MAPS}/m", {"data": {"a": "2"}}, headers={"Content-Type": "application/merge-patch+json"})
    api("DELETE", f"{MAPS}/m")

    seen = [next(events) for _ in range(3)]
    assert [event["type"] for event in seen] == ["ADDED", "MODIFIED", "DELETED"]
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in seen]
    assert versions == sorted(versions)


def test_a_watch_without_a_version_begins_with_what_is_there(api, watch):
    put(api, "m")

    assert next(watch())["object"]["metadata"]["name"] == "m"


def test_a_watch_resumes_where_it_is_told(api, watch):
    first = put(api, "a")
    put(api, "b")

    event = next(watch(f"&resourceVersion={first['metadata']['resourceVersion']}"))

    assert event["object"]["metadata"]["name"] == "b"


def test_a_watch_from_a_forgotten_version_is_told_to_list_anew(api, watch, cluster):
    first = put(api, "a")
    put(api, "b")
    cluster.forget_history()

    event = next(watch(f"&resourceVersion={first['metadata']['resourceVersion']}"))

    assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")
    assert event["object"]["message"].startswith("too old resource version")


def test_objects_enter_and_leave_a_selection(api, watch):
    put(api, "m")
    merge = {"Content-Type": "application/merge-patch+json"}
    version = api("GET", MAPS)[1]["metadata"]["resourceVersion"]
    events = watch(f"&labelSelector=x%3D1&resourceVersion={version}")

    for label in ("1", "2"):
        api("PATCH", f"{MAPS}/m", {"metadata": {"labels": {"x": label}}}, headers=merge)

    assert [next(events)["type"] for _ in range(2)] == ["ADDED", "DELETED"]


def test_a_watch_ends_at_its_time_out_with_a_bookmark(api, watch):
    events = list(watch("&timeoutSeconds=1&allowWatchBookmarks=true&resourceVersion=0"))

    assert [event["type"] for event in events] == ["BOOKMARK"]
    assert events[0]["object"]["metadata"]["resourceVersion"] == api("GET", MAPS)[1]["metadata"]["resourceVersion"]


def test_a_streamed_list_is_closed_by_a_bookmark(api, watch):
    put(api, "m")
    events = watch("&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true")

    added, bookmark = next(events), next(events)

    assert added["object"]["metadata"]["name"] == "m"
    assert bookmark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


def test_the_watch_of_a_client_that_has_gone_ends(new_cluster, host, tmp_path):
    clock = ManualClock()
    cluster = new_cluster(clock=clock)
    (tmp_path / "ca.pem").write_bytes(cluster.ca_pem)
    before = clock.sleepers
    response = Api(cluster.url, str(tmp_path / "ca.pem")).request("GET", f"{MAPS}?watch=true", stream=True)
    clock.wait_for_sleepers(before + 2)

    response.close()

    assert any(host.run(lambda: clock.sleepers) == before for _ in range(10_000))
