"""What is forgotten, and whom nobody waits for any more."""

from __future__ import annotations

from multicluster.simulator.clock import ManualClock

from .conftest import Api

MAPS = "/api/v1/namespaces/default/configmaps"


def test_a_page_of_a_version_no_longer_kept_is_gone(api, cluster):
    for name in "abc":
        api("POST", MAPS, {"metadata": {"name": name}})
    token = api("GET", MAPS + "?limit=2")[1]["metadata"]["continue"]
    api("DELETE", f"{MAPS}/c")
    cluster.forget_history()

    code, status = api("GET", f"{MAPS}?continue={token}")

    assert (code, status["reason"]) == (410, "Expired")


def test_a_watch_from_a_forgotten_version_is_told_to_list_anew(api, cluster):
    first, _ = (api("POST", MAPS, {"metadata": {"name": name}})[1] for name in "ab")
    cluster.forget_history()

    event = api("GET", f"{MAPS}?watch=true&resourceVersion={first['metadata']['resourceVersion']}")[1]

    assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")


def test_the_watch_of_a_client_that_has_gone_ends(new_cluster, host, tmp_path):
    clock = ManualClock()
    cluster = new_cluster(clock=clock)
    (tmp_path / "ca.pem").write_bytes(cluster.ca_pem)
    before = clock.sleepers
    response = Api(cluster.url, str(tmp_path / "ca.pem")).request("GET", f"{MAPS}?watch=true", stream=True)
    clock.wait_for_sleepers(before + 2)

    response.close()

    assert any(host.run(lambda: clock.sleepers) == before for _ in range(10_000))


def test_an_idle_watch_ends_at_its_time_out_with_a_bookmark(api):
    version = api("GET", MAPS)[1]["metadata"]["resourceVersion"]

    event = api("GET", f"{MAPS}?watch=1&timeoutSeconds=1&allowWatchBookmarks=true&resourceVersion={version}")[1]

    assert (event["type"], event["object"]["metadata"]["resourceVersion"]) == ("BOOKMARK", version)
