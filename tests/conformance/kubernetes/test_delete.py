"""Deleting: what is answered, on which conditions, and what goes along."""

from __future__ import annotations

import pytest

from .test_create import idle, maps, pods

MERGE = {"Content-Type": "application/merge-patch+json"}
HOLD = "example.com/hold"


@pytest.fixture
def made(ground, namespace):
    return ground.raw("POST", maps(namespace), {"metadata": {"name": "a"}, "data": {"k": "v"}})[2]


def release(ground, path):
    ground.raw("PATCH", path, {"metadata": {"finalizers": None}}, MERGE)


def test_what_is_gone_at_once_is_answered_with_a_status(ground, namespace, made, record):
    status, _, body = ground.raw("DELETE", f"{maps(namespace)}/a")

    record("body", body)
    assert (status, body["status"], body["details"]["uid"]) == (200, "Success", made["metadata"]["uid"])
    assert ground.raw("GET", f"{maps(namespace)}/a")[0] == 404


def test_deleting_twice_is_not_found(ground, namespace, made, record):
    ground.raw("DELETE", f"{maps(namespace)}/a")

    status, _, body = ground.raw("DELETE", f"{maps(namespace)}/a")

    record("body", body)
    assert status == 404


def test_a_pod_nobody_runs_is_gone_at_once_and_returned(ground, namespace, record):
    ground.raw("POST", pods(namespace), idle("p"))

    status, _, body = ground.raw("DELETE", f"{pods(namespace)}/p")

    record("body", body)
    assert (status, body["kind"]) == (200, "Pod")
    assert ground.raw("GET", f"{pods(namespace)}/p")[0] == 404


@pytest.mark.parametrize("kind", ["uid", "resourceVersion"])
def test_a_precondition_that_does_not_hold_is_a_conflict(ground, namespace, made, record, kind):
    wrong = {"uid": "11111111-2222-3333-4444-555555555555", "resourceVersion": "1"}[kind]

    refused = ground.raw("DELETE", f"{maps(namespace)}/a", {"preconditions": {kind: wrong}})
    done = ground.raw("DELETE", f"{maps(namespace)}/a", {"preconditions": {kind: made["metadata"][kind]}})

    record("refused", refused[2] | {"message": refused[2]["message"].replace(made["metadata"][kind], "<actual>")})
    assert (refused[0], refused[2]["reason"], done[0]) == (409, "Conflict", 200)


@pytest.mark.parametrize(
    ("code", "options"),
    [
        (422, {"propagationPolicy": "Sideways"}),
        (422, {"propagationPolicy": "Orphan", "orphanDependents": True}),
        (400, {"kind": "Pod", "apiVersion": "v1"}),
        (422, {"dryRun": ["Some"]}),
        (400, {"gracePeriodSeconds": "soon"}),
    ],
)
def test_options_that_mean_nothing_are_refused(ground, namespace, made, record, code, options):  # noqa: PLR0917
    status, _, body = ground.raw("DELETE", f"{maps(namespace)}/a", options)

    record("answer", [status, body])
    assert (status, body["code"]) == (code, code)


@pytest.mark.parametrize("query", ["propagationPolicy=Background", "gracePeriodSeconds=0", "dryRun=All"])
def test_options_may_stand_in_the_address(ground, namespace, made, record, query):
    status, _, body = ground.raw("DELETE", f"{maps(namespace)}/a?{query}")

    record("answer", [status, body])
    assert ground.raw("GET", f"{maps(namespace)}/a")[0] == (200 if query == "dryRun=All" else 404)


def test_a_finalizer_holds_what_is_deleted(ground, namespace, record):
    path = f"{maps(namespace)}/a"
    ground.raw("POST", maps(namespace), {"metadata": {"name": "a", "finalizers": [HOLD]}})

    first, again, held = (ground.raw(method, path) for method in ("DELETE", "DELETE", "GET"))
    added = ground.raw("PATCH", path, {"metadata": {"finalizers": [HOLD, "example.com/late"]}}, MERGE)
    last = ground.raw("PATCH", path, {"metadata": {"finalizers": None}}, MERGE)

    for name, answer in (("first", first), ("again", again), ("held", held), ("added", added), ("last", last)):
        record(name, [answer[0], {key: value for key, value in answer[2].items() if key != "details"}])
    assert "deletionTimestamp" in held[2]["metadata"]
    assert (added[0], last[0], ground.raw("GET", path)[0]) == (422, 200, 404)


def test_a_collection_is_deleted_by_its_selector(ground, namespace, record):
    for name, group in (("a", "x"), ("b", "x"), ("c", "y")):
        ground.raw("POST", maps(namespace), {"metadata": {"name": name, "labels": {"g": group}}})

    status, _, body = ground.raw("DELETE", f"{maps(namespace)}?labelSelector=g%3Dx")

    left = ground.raw("GET", f"{maps(namespace)}?labelSelector=g")[2]["items"]
    record("answer", [status, body])
    assert [item["metadata"]["name"] for item in left] == ["c"]


@pytest.mark.parametrize("policy", ["Background", "Foreground", "Orphan"])
def test_dependants_follow_their_owner_as_the_policy_says(ground, namespace, record, eventually, policy):
    owner = ground.raw("POST", maps(namespace), {"metadata": {"name": "owner"}})[2]
    reference = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "name": "owner",
        "uid": owner["metadata"]["uid"],
        "blockOwnerDeletion": True,
    }
    ground.raw("POST", maps(namespace), {"metadata": {"name": "child", "ownerReferences": [reference]}})
    child = f"{maps(namespace)}/child"

    status, _, body = ground.raw("DELETE", f"{maps(namespace)}/owner", {"propagationPolicy": policy})
    eventually(lambda: ground.raw("GET", f"{maps(namespace)}/owner")[0] == 404)

    record("answer", [status, body["kind"], body.get("metadata", {}).get("finalizers")])
    if policy == "Orphan":
        assert "ownerReferences" not in ground.raw("GET", child)[2]["metadata"]
    else:
        eventually(lambda: ground.raw("GET", child)[0] == 404)


def test_a_dependant_with_another_owner_stays(ground, namespace, eventually):
    uids = [
        ground.raw("POST", maps(namespace), {"metadata": {"name": n}})[2]["metadata"]["uid"] for n in ("one", "two")
    ]
    owners = [
        {"apiVersion": "v1", "kind": "ConfigMap", "name": n, "uid": u}
        for n, u in zip(("one", "two"), uids, strict=True)
    ]
    ground.raw("POST", maps(namespace), {"metadata": {"name": "child", "ownerReferences": owners}})

    ground.raw("DELETE", f"{maps(namespace)}/one")

    left = eventually(lambda: _owners(ground, f"{maps(namespace)}/child") == ["two"])
    assert left


def test_a_dependant_of_nobody_is_collected(ground, namespace, eventually):
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "never", "uid": "11111111-2222-3333-4444-555555555555"}
    ground.raw("POST", maps(namespace), {"metadata": {"name": "child", "ownerReferences": [owner]}})

    assert eventually(lambda: ground.raw("GET", f"{maps(namespace)}/child")[0] == 404)


def _owners(ground, path):
    return [owner["name"] for owner in ground.raw("GET", path)[2]["metadata"].get("ownerReferences", [])]
