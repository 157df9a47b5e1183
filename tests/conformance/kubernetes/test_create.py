"""Creating objects, and every way in which that is refused."""

from __future__ import annotations

import pytest

LONG = "x" * 70


def maps(namespace):
    return f"/api/v1/namespaces/{namespace}/configmaps"


def pods(namespace):
    return f"/api/v1/namespaces/{namespace}/pods"


def idle(name, **spec):
    """A pod that no scheduler takes."""
    container = {"name": "base", "image": "busybox:1.36"}
    spec = {"schedulerName": "nobody", "automountServiceAccountToken": False, "containers": [container], **spec}
    return {"metadata": {"name": name}, "spec": spec}


def test_what_is_created_comes_back_with_what_the_server_adds(ground, namespace, record):
    sent = {"metadata": {"name": "a", "labels": {"l": "1"}, "annotations": {"a": "2"}}, "data": {"k": "v"}}

    status, headers, body = ground.raw("POST", maps(namespace), sent)

    record("answer", [status, headers["Content-Type"], body])
    record("get", ground.raw("GET", f"{maps(namespace)}/a")[2])
    assert status == 201
    assert {"uid", "resourceVersion", "creationTimestamp"} <= set(body["metadata"])


def test_the_server_keeps_what_is_its_own(ground, namespace, record):
    mine = {
        "name": "a",
        "uid": "mine",
        "creationTimestamp": "2001-01-01T00:00:00Z",
        "generation": 7,
        "selfLink": "/mine",
        "deletionTimestamp": "2001-01-01T00:00:00Z",
        "deletionGracePeriodSeconds": 3,
    }

    body = ground.raw("POST", maps(namespace), {"metadata": mine})[2]

    record("body", body)
    assert body["metadata"]["uid"] != "mine"
    assert "deletionTimestamp" not in body["metadata"]


def test_a_pod_gets_its_defaults(ground, namespace, record):
    status, _, body = ground.raw("POST", pods(namespace), idle("p"))

    record("pod", body)
    assert (status, body["status"]["phase"]) == (201, "Pending")


def test_a_name_that_is_taken_is_refused(ground, namespace, record):
    ground.raw("POST", maps(namespace), {"metadata": {"name": "a"}})

    status, _, body = ground.raw("POST", maps(namespace), {"metadata": {"name": "a"}})

    record("body", body)
    assert (status, body["reason"], body["details"]["name"]) == (409, "AlreadyExists", "a")


def test_a_prefix_becomes_a_name_with_five_characters_more(ground, namespace):
    name = ground.raw("POST", maps(namespace), {"metadata": {"generateName": "run-"}})[2]["metadata"]["name"]

    assert len(name) == len("run-12345")
    assert set(name.removeprefix("run-")) <= set("bcdfghjklmnpqrstvwxz2456789")


def test_a_prefix_that_is_too_long_is_cut(ground, namespace):
    name = ground.raw("POST", maps(namespace), {"metadata": {"generateName": LONG}})[2]["metadata"]["name"]

    assert (len(name), name[:58]) == (63, "x" * 58)


def test_the_name_is_missed_when_a_prefix_gives_none(ground, namespace, record):
    for metadata in ({}, {"generateName": ""}):
        status, _, body = ground.raw("POST", maps(namespace), {"metadata": metadata})
        record(str(metadata), body)
        assert (status, body["reason"]) == (422, "Invalid")


@pytest.mark.parametrize(
    "metadata",
    [
        {"name": "Upper"},
        {"name": "under_score"},
        {"name": "-a"},
        {"name": "x" * 254},
        {"generateName": "Upper-"},
        {"name": "a", "labels": {"l": "not good"}},
        {"name": "a", "labels": {"l": LONG}},
        {"name": "a", "labels": {"not good": "v"}},
        {"name": "a", "labels": {"": "v"}},
        {"name": "a", "labels": {"a/b/c": "v"}},
        {"name": "a", "labels": {"UP.example/ok": "v"}},
        {"name": "a", "labels": {LONG: "v"}},
        {"name": "a", "annotations": {"not good": "v"}},
        {"name": "a", "annotations": {"big": "x" * (256 * 1024 + 1)}},
        {"name": "a", "finalizers": ["notqualified"]},
        {"name": "a", "finalizers": ["example.com/good"]},
        {"name": "a", "ownerReferences": [{"name": "o"}]},
    ],
    ids=lambda metadata: "-".join(metadata) + str(len(str(metadata))),
)
def test_metadata_is_checked(ground, namespace, names, record, metadata):
    status, _, body = ground.raw("POST", maps(namespace), {"metadata": metadata})
    if "generateName" in metadata:
        names[body["details"]["name"]] = "<generated>"

    record("answer", [status, body])
    assert status == (201 if metadata.get("finalizers") == ["example.com/good"] else 422)
    if status == 201:
        ground.raw(
            "PATCH",
            f"{maps(namespace)}/a",
            {"metadata": {"finalizers": None}},
            {"Content-Type": "application/merge-patch+json"},
        )


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("another kind", {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "a"}}),
        ("another version", {"kind": "ConfigMap", "apiVersion": "v2", "metadata": {"name": "a"}}),
        ("another group", {"kind": "ConfigMap", "apiVersion": "apps/v1", "metadata": {"name": "a"}}),
        ("another namespace", {"metadata": {"name": "a", "namespace": "other"}}),
        ("a version", {"metadata": {"name": "a", "resourceVersion": "1"}}),
        ("a list", []),
        ("a text", '"text"'),
        ("no JSON", "{"),
        ("nothing", ""),
        ("a number for a text", {"metadata": {"name": "a"}, "data": {"k": 1}}),
        ("a list for a map", {"metadata": {"name": "a"}, "data": []}),
        ("a text for an object", {"metadata": "a"}),
        ("a number for a name", {"metadata": {"name": 5}}),
        ("a number for a label", {"metadata": {"name": "a", "labels": {"l": 1}}}),
    ],
)
def test_a_body_that_is_not_one_of_these_objects_is_refused(ground, namespace, record, name, sent):
    status, _, body = ground.raw("POST", maps(namespace), sent)

    record("body", {**body, "message": body["message"].partition(" json parse error:")[0]})
    assert (status, body["kind"], body["status"]) == (body["code"], "Status", "Failure")
    assert status == (500 if name == "a version" else 400)  # a real server's word for the sender's mistake


def test_a_pod_s_values_have_their_types(ground, namespace, record):
    wrong = [
        {"containers": "x"},
        {"containers": [{"name": "base", "image": "i", "command": "text"}]},
        {"containers": [{"name": "base", "image": "i", "env": [{"name": "A", "value": 1}]}]},
        {"activeDeadlineSeconds": "soon"},
        {"terminationGracePeriodSeconds": 1.5},
        {"hostNetwork": "yes"},
        {"nodeSelector": {"gpu": True}},
        {"containers": [{"name": "base", "image": "i", "resources": {"limits": {"cpu": "much"}}}]},
    ]
    for spec in wrong:
        status, _, body = ground.raw("POST", pods(namespace), idle("p", **spec))
        record(str(spec), body)
        assert status == 400


@pytest.mark.parametrize("media", ["text/plain", "application/xml", "application/x-www-form-urlencoded"])
def test_a_body_of_another_media_type_is_refused(ground, namespace, record, media):
    status, _, body = ground.raw("POST", maps(namespace), "name: a", {"Content-Type": media})

    record("body", body)
    assert (status, body["reason"]) == (415, "UnsupportedMediaType")


@pytest.mark.parametrize("accept", ["text/plain", "application/xml"])
def test_an_answer_of_another_media_type_is_not_to_be_had(ground, namespace, record, accept):
    status, _, body = ground.raw("GET", maps(namespace), headers={"Accept": accept})

    record("body", body)
    assert (status, body["reason"]) == (406, "NotAcceptable")


@pytest.mark.parametrize("accept", ["*/*", "application/json;q=0.5, text/html", "application/json"])
def test_an_answer_is_json_for_those_who_take_it(ground, namespace, record, accept):
    status, headers, _ = ground.raw("GET", maps(namespace), headers={"Accept": accept})

    assert (status, headers["Content-Type"]) == (200, "application/json")


def test_a_body_may_be_yaml(ground, namespace):
    sent = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: v\n"

    status, _, body = ground.raw("POST", maps(namespace), sent, {"Content-Type": "application/yaml"})

    assert (status, body["data"]) == (201, {"k": "v"})


def test_a_namespace_that_is_not_there_is_not_found(ground, record):
    status, _, body = ground.raw("POST", maps("nowhere-to-be-found"), {"metadata": {"name": "a"}})

    record("body", body)
    assert (status, body["details"]["kind"]) == (404, "namespaces")


def test_what_is_not_there_is_not_found(ground, namespace, record):
    for path in (
        f"{maps(namespace)}/x", f"{pods(namespace)}/x", f"/apis/batch/v1/namespaces/{namespace}/jobs/x",
        "/api/v1/nodes/x", "/api/v1/namespaces/x", f"{pods(namespace)}/x/log", f"{pods(namespace)}/x/status",
    ):  # fmt: skip
        status, _, body = ground.raw("GET", path)
        record(path.replace(namespace, "n"), body)
        assert (status, body["reason"]) == (404, "NotFound")


def test_a_dry_run_answers_and_keeps_nothing(ground, namespace, record):
    status, _, body = ground.raw("POST", f"{maps(namespace)}?dryRun=All", {"metadata": {"name": "a"}})

    record("body", body)
    assert (status, "uid" in body["metadata"]) == (201, True)
    assert ground.raw("GET", f"{maps(namespace)}/a")[0] == 404


def test_a_dry_run_of_another_kind_is_refused(ground, namespace, record):
    status, _, body = ground.raw("POST", f"{maps(namespace)}?dryRun=Some", {"metadata": {"name": "a"}})

    record("body", body)
    assert (status, body["reason"]) == (422, "Invalid")


@pytest.mark.parametrize("validation", ["Ignore", "Warn", "Strict", "Other"])
def test_unknown_fields_are_dropped_warned_of_or_refused(ground, namespace, record, validation):
    sent = {"metadata": {"name": "a", "colour": "red"}, "data": {}, "more": 1}

    status, headers, body = ground.raw("POST", f"{maps(namespace)}?fieldValidation={validation}", sent)

    record("answer", [status, headers.getlist("Warning"), body])
    assert status == {"Strict": 400, "Other": 422}.get(validation, 201)


def test_unknown_fields_of_a_pod_are_named_with_their_path(ground, namespace, record):
    sent = idle("p", colour="red")
    sent["spec"]["containers"][0]["volumeMount"] = []

    status, _, body = ground.raw("POST", f"{pods(namespace)}?fieldValidation=Strict", sent)

    record("body", body)
    assert status == 400
