"""The patch types."""

from __future__ import annotations

import json

import pytest

from .test_create import idle, maps, pods

JSON, MERGE, STRATEGIC = (f"application/{kind}+json" for kind in ("json-patch", "merge-patch", "strategic-merge-patch"))
APPLY = "application/apply-patch+yaml"


@pytest.fixture
def patch(ground, namespace):
    """Patch the one map, or the one pod, that is there."""
    ground.raw("POST", maps(namespace), {"metadata": {"name": "a", "labels": {"l": "1"}}, "data": {"k": "v", "o": "w"}})
    volumes = [{"name": "scratch", "emptyDir": {}}]
    ground.raw("POST", pods(namespace), idle("p", activeDeadlineSeconds=100, volumes=volumes))

    def send(kind, sent, path="configmaps/a", query=""):
        address = f"/api/v1/namespaces/{namespace}/{path}{query}"
        status, _, body = ground.raw("PATCH", address, sent, {"Content-Type": kind})
        return status, body

    return send


@pytest.mark.parametrize("kind", [MERGE, STRATEGIC])
def test_a_merge_sets_changes_and_removes(patch, record, kind):
    status, body = patch(kind, {"data": {"k": None, "n": "1"}, "metadata": {"annotations": {"a": "b"}}})

    record("body", body)
    assert (status, body["data"]) == (200, {"o": "w", "n": "1"})


@pytest.mark.parametrize(
    ("name", "operations"),
    [
        ("add", [{"op": "add", "path": "/data/n", "value": "1"}]),
        ("add to what is not there", [{"op": "add", "path": "/nothing/n", "value": "1"}]),
        ("replace", [{"op": "replace", "path": "/data/k", "value": "1"}]),
        ("replace what is not there", [{"op": "replace", "path": "/data/x", "value": "1"}]),
        ("remove", [{"op": "remove", "path": "/data/k"}]),
        ("remove what is not there", [{"op": "remove", "path": "/data/x"}]),
        ("move", [{"op": "move", "from": "/data/k", "path": "/data/m"}]),
        ("copy", [{"op": "copy", "from": "/data/k", "path": "/data/m"}]),
        ("a test that holds", [{"op": "test", "path": "/data/k", "value": "v"}]),
        ("a test that fails", [{"op": "test", "path": "/data/k", "value": "x"}]),
        (
            "escaped",
            [
                {"op": "add", "path": "/metadata/annotations", "value": {"x/y": "1"}},
                {"op": "remove", "path": "/metadata/annotations/x~1y"},
            ],
        ),
        ("unknown", [{"op": "shake", "path": "/data/k"}]),
        ("no list", {"op": "add", "path": "/data/n", "value": "1"}),
    ],
)
def test_a_json_patch_does_its_operations_in_order(patch, record, name, operations):
    status, body = patch(JSON, operations)

    record("answer", [status, body])
    refused = {
        "add to what is not there": 422,
        "remove what is not there": 422,
        "a test that fails": 422,
        "unknown": 422,
        "no list": 400,
    }
    assert status == refused.get(name, 200)


def test_a_strategic_merge_knows_lists_by_their_keys(patch, record):
    sent = {"spec": {"containers": [{"name": "base", "image": "alpine:latest"}]}, "metadata": {"finalizers": ["a.b/c"]}}
    status, body = patch(STRATEGIC, sent, "pods/p")
    removed = patch(STRATEGIC, {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a.b/c"]}}, "pods/p")

    record("merged", body)
    record("removed", removed)
    assert (status, len(body["spec"]["containers"]), removed[0]) == (200, 1, 200)
    assert body["spec"]["containers"][0]["image"] == "alpine:latest"


def test_a_strategic_merge_of_conditions_keeps_the_others(patch, record):
    for kind in ("A", "B", "A"):
        times = dict.fromkeys(("lastProbeTime", "lastTransitionTime"), "2026-01-01T00:00:00Z")
        condition = {"type": kind, "status": "True", "reason": "Why", **times}
        status, body = patch(STRATEGIC, {"status": {"conditions": [condition]}}, "pods/p/status")

    record("conditions", body["status"]["conditions"])
    assert (status, [c["type"] for c in body["status"]["conditions"]]) in [(200, ["B", "A"]), (200, ["A", "B"])]


def test_a_strategic_merge_says_what_to_delete_and_replace(patch, record):
    replaced = patch(STRATEGIC, {"data": {"$patch": "replace", "only": "1"}})
    labels = patch(STRATEGIC, {"metadata": {"labels": {"$patch": "delete"}}})

    record("replaced", replaced)
    record("labels", labels)
    assert (replaced[1]["data"], "labels" in labels[1]["metadata"]) == ({"only": "1"}, False)


def test_a_strategic_merge_misses_the_key_of_an_item(patch, record):
    status, body = patch(STRATEGIC, {"spec": {"containers": [{"image": "x"}]}}, "pods/p")

    record("answer", [status, body])
    assert (status, body["code"]) == (500, 500)  # a real server's word for the sender's mistake


@pytest.mark.parametrize("kind", [MERGE, JSON])
def test_a_merge_of_a_fixed_field_is_refused(patch, record, kind):
    sent = {MERGE: {"spec": {"restartPolicy": "Never"}},
            JSON: [{"op": "replace", "path": "/spec/restartPolicy", "value": "Never"}]}[kind]  # fmt: skip

    status, body = patch(kind, sent, "pods/p")

    record("reason", [status, body["reason"], body["details"]["causes"][0]["field"]])
    assert status == 422


def test_labels_of_a_pod_can_be_patched_and_its_status_cannot_on_the_way(patch, record):
    status, body = patch(
        MERGE, {"metadata": {"labels": {"already_checked": "True"}}, "status": {"phase": "Failed"}}, "pods/p"
    )

    record("body", body)
    assert (status, body["status"]["phase"]) == (200, "Pending")


def test_a_patch_with_a_version_is_conditional(patch, record):
    stale = patch(MERGE, {"metadata": {"resourceVersion": "1"}, "data": {"k": "x"}})
    current = patch(MERGE, {"data": {"k": "y"}})[1]["metadata"]["resourceVersion"]
    fresh = patch(MERGE, {"metadata": {"resourceVersion": current}, "data": {"k": "z"}})

    record("stale", stale)
    assert (stale[0], fresh[0]) == (409, 200)


@pytest.mark.parametrize(
    ("code", "sent"),
    [
        (400, {"metadata": {"name": "b"}}),
        (400, {"metadata": {"namespace": "b"}}),
        (422, {"kind": "Nothing"}),
        (422, {"apiVersion": "v2"}),
    ],
)
def test_a_patch_cannot_change_who_an_object_is(patch, record, code, sent):
    status, body = patch(MERGE, sent)

    record("answer", [status, body["reason"], body["message"].rpartition('": ')[2]])
    assert status == code


@pytest.mark.parametrize("kind", ["application/json", "text/plain", ""])
def test_another_kind_of_patch_is_refused(patch, record, kind):
    status, body = patch(kind, {"data": {}})

    record("answer", [status, body])
    assert (status, body["reason"]) == (415, "UnsupportedMediaType")


@pytest.mark.parametrize(("kind", "sent"), [(MERGE, "[]"), (MERGE, "{"), (JSON, "{"), (STRATEGIC, "[]"), (MERGE, "")])
def test_a_patch_that_cannot_be_read_is_refused(patch, record, kind, sent):
    status, body = patch(kind, sent)

    record("answer", [status, body])
    assert (status, body["reason"]) == (400, "BadRequest")


def test_a_patch_of_what_is_not_there_is_not_found(patch, record):
    status, body = patch(MERGE, {"data": {}}, "configmaps/x")

    record("body", body)
    assert status == 404


def test_a_dry_patch_changes_nothing(patch, ground, namespace):
    status, body = patch(MERGE, {"data": {"k": "x"}}, query="?dryRun=All")

    assert (status, body["data"]["k"]) == (200, "x")
    assert ground.raw("GET", f"{maps(namespace)}/a")[2]["data"]["k"] == "v"


def test_a_patch_to_a_bad_value_is_refused(patch, record):
    wrong = patch(MERGE, {"data": {"k": 5}})
    invalid = patch(MERGE, {"metadata": {"labels": {"l": "not good"}}})

    record("wrong", [wrong[0], wrong[1]["reason"], wrong[1]["message"].rpartition('": ')[2]])
    record("invalid", [invalid[0], invalid[1]["reason"], invalid[1]["message"]])
    assert (wrong[0], invalid[0]) == (422, 422)


def test_server_side_apply_is_done_or_refused_as_an_unknown_kind_of_patch(patch, record):
    sent = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "new"}, "data": {"k": "x"}})

    status, body = patch(APPLY, sent, "configmaps/new", "?fieldManager=me")

    record("status", status)
    assert status in (201, 415)
    assert status == 201 or body["message"] == "415: Unsupported Media Type"
