"""Lists: selectors, pages, versions."""

from __future__ import annotations

import pytest

MAPS = "/api/v1/namespaces/default/configmaps"


@pytest.fixture
def maps(api):
    for name, labels in (("a", {"x": "1"}), ("b", {"x": "2", "y": ""}), ("c", {})):
        api("POST", MAPS, {"metadata": {"name": name, "labels": labels}})
    return lambda query="": [
        item["metadata"]["name"]
        for item in api("GET", f"{MAPS}?{query}")[1]["items"]
        if item["metadata"]["name"] != "kube-root-ca.crt"
    ]


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("x=1", "a"),
        ("x==1", "a"),
        ("x!=1", "bc"),
        ("x", "ab"),
        ("!x", "c"),
        ("x in (1, 2)", "ab"),
        ("x notin (1)", "bc"),
        ("x in (1,2),y", "b"),
        ("y=", "b"),
        ("x>1", "b"),
        ("x<2", "a"),
        ("", "abc"),
    ],
)
def test_label_selectors(maps, selector, names):
    from urllib.parse import quote

    assert maps(f"labelSelector={quote(selector)}") == list(names)


def test_a_selector_that_cannot_be_read_is_a_bad_request(api):
    assert api("GET", MAPS + "?labelSelector=a+b+c")[0] == 400


def test_field_selectors(maps):
    assert maps("fieldSelector=metadata.name%3Db") == ["b"]
    assert maps("fieldSelector=metadata.name!%3Db") == ["a", "c"]


def test_an_unknown_field_selector_is_a_bad_request(api):
    code, status = api("GET", MAPS + "?fieldSelector=data.a%3D1")

    assert (code, status["reason"]) == (400, "BadRequest")
    assert status["message"].endswith("field label not supported: data.a")


def test_pages_follow_one_another_and_show_one_version(api, maps):
    first = api("GET", MAPS + "?limit=2")[1]
    api("DELETE", f"{MAPS}/c")
    second = api("GET", f"{MAPS}?limit=2&continue={first['metadata']['continue']}")[1]

    names = [item["metadata"]["name"] for page in (first, second) for item in page["items"]]
    assert names == ["a", "b", "c", "kube-root-ca.crt"]
    assert first["metadata"]["remainingItemCount"] == 2
    assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
    assert "continue" not in second["metadata"]


def test_a_page_of_a_version_no_longer_kept_is_gone(api, maps, cluster):
    token = api("GET", MAPS + "?limit=2")[1]["metadata"]["continue"]
    api("DELETE", f"{MAPS}/c")
    cluster.forget_history()

    code, status = api("GET", f"{MAPS}?continue={token}")

    assert (code, status["reason"]) == (410, "Expired")


def test_a_broken_continue_token_is_a_bad_request(api):
    assert api("GET", MAPS + "?continue=x")[0] == 400


def test_a_list_at_an_exact_version_shows_the_past(api, maps):
    version = api("GET", MAPS)[1]["metadata"]["resourceVersion"]
    api("DELETE", f"{MAPS}/a")

    past = api("GET", f"{MAPS}?resourceVersion={version}&resourceVersionMatch=Exact")[1]

    assert "a" in [item["metadata"]["name"] for item in past["items"]]


def test_a_version_of_the_future_is_too_large(api):
    code, status = api("GET", MAPS + "?resourceVersion=999999&resourceVersionMatch=NotOlderThan")

    assert (code, status["reason"]) == (504, "Timeout")
    assert "Too large resource version: 999999" in status["message"]


def test_all_namespaces_are_listed_together(api, maps):
    items = api("GET", "/api/v1/configmaps")[1]["items"]

    assert {item["metadata"]["namespace"] for item in items} == {
        "default",
        "kube-system",
        "kube-public",
        "kube-node-lease",
    }


def test_events_are_one_set_in_two_shapes(api):
    core = api("GET", "/api/v1/events")[1]["items"][0]
    new = api("GET", "/apis/events.k8s.io/v1/events")[1]["items"][0]

    assert (new["note"], new["regarding"]) == (core["message"], core["involvedObject"])
    assert new["apiVersion"] == "events.k8s.io/v1"
