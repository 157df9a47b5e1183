"""Replacing objects and their status."""

from __future__ import annotations

import pytest

from .test_create import idle, maps, pods


@pytest.fixture
def made(ground, namespace):
    return ground.raw("POST", maps(namespace), {"metadata": {"name": "a", "labels": {"l": "1"}}, "data": {"k": "v"}})[2]


def test_an_object_is_replaced_whole(ground, namespace, made, record):
    status, _, body = ground.raw("PUT", f"{maps(namespace)}/a", {"metadata": {"name": "a"}, "data": {"n": "w"}})

    record("body", body)
    assert (status, body["data"], "labels" in body["metadata"]) == (200, {"n": "w"}, False)
    assert int(body["metadata"]["resourceVersion"]) > int(made["metadata"]["resourceVersion"])


def test_an_old_version_is_a_conflict(ground, namespace, made, record):
    ground.raw("PUT", f"{maps(namespace)}/a", {"metadata": {"name": "a"}, "data": {"n": "w"}})

    status, _, body = ground.raw("PUT", f"{maps(namespace)}/a", made)

    record("body", body)
    assert (status, body["reason"]) == (409, "Conflict")


def test_another_uid_is_a_conflict(ground, namespace, made, record):
    other = "11111111-2222-3333-4444-555555555555"
    sent = {**made, "metadata": {**made["metadata"], "uid": other}}

    status, _, body = ground.raw("PUT", f"{maps(namespace)}/a", sent)

    record("body", body)
    assert status == 409


def test_another_name_is_refused(ground, namespace, made, record):
    status, _, body = ground.raw("PUT", f"{maps(namespace)}/a", {"metadata": {"name": "b"}})

    record("body", body)
    assert status == 400


def test_no_name_is_refused(ground, namespace, made, record):
    status, _, body = ground.raw("PUT", f"{maps(namespace)}/a", {"metadata": {}})

    record("answer", [status, body])
    assert (status, body["reason"]) == (400, "BadRequest")


def test_a_change_of_nothing_is_no_new_version(ground, namespace, made):
    status, _, body = ground.raw("PUT", f"{maps(namespace)}/a", made)

    assert (status, body["metadata"]["resourceVersion"]) == (200, made["metadata"]["resourceVersion"])


def test_replacing_what_is_not_there_is_not_found(ground, namespace, record):
    status, _, body = ground.raw("PUT", f"{maps(namespace)}/x", {"metadata": {"name": "x"}})

    record("body", body)
    assert status == 404


def test_a_version_that_is_no_number_is_refused(ground, namespace, made, record):
    sent = {"metadata": {"name": "a", "resourceVersion": "new"}}

    status, _, body = ground.raw("PUT", f"{maps(namespace)}/a", sent)

    record("answer", [status, body])
    assert (status, body["message"]) == (500, 'strconv.ParseUint: parsing "new": invalid syntax')


def test_a_dry_update_changes_nothing(ground, namespace, made, record):
    status, _, body = ground.raw("PUT", f"{maps(namespace)}/a?dryRun=All", {"metadata": {"name": "a"}, "data": {}})

    record("answer", [status, body])
    assert ground.raw("GET", f"{maps(namespace)}/a")[2] == made


def test_a_status_is_changed_by_its_own_address_only(ground, namespace, record):
    pod = ground.raw("POST", pods(namespace), idle("p"))[2]
    changed = {**pod, "status": {"phase": "Running", "message": "mine"}}

    by_object = ground.raw("PUT", f"{pods(namespace)}/p", changed)[2]
    changed["metadata"] = {**by_object["metadata"], "labels": {"sneaked": "in"}}
    changed["spec"] = {**pod["spec"], "nodeName": "sneaked-in"}
    by_status = ground.raw("PUT", f"{pods(namespace)}/p/status", changed)[2]

    record("by object", by_object)
    record("by status", by_status)
    assert (by_object["status"]["phase"], by_status["status"]["phase"]) == ("Pending", "Running")
    assert "nodeName" not in by_status["spec"]


def test_a_pod_s_spec_is_fixed_but_for_a_few_fields(ground, namespace, record):
    pod = ground.raw("POST", pods(namespace), idle("p", activeDeadlineSeconds=100))[2]
    pod["spec"]["containers"][0]["image"] = "alpine:latest"
    pod["spec"]["activeDeadlineSeconds"] = 50
    pod["spec"]["tolerations"] = [*pod["spec"]["tolerations"], {"key": "k", "operator": "Exists"}]
    fine, _, pod = ground.raw("PUT", f"{pods(namespace)}/p", pod)

    refused = []
    for change in ({"restartPolicy": "Never"}, {"nodeSelector": {"a": "b"}}, {"tolerations": []},
                   {"activeDeadlineSeconds": 60}, {"serviceAccountName": "x"}):  # fmt: skip
        status, _, body = ground.raw("PUT", f"{pods(namespace)}/p", {**pod, "spec": {**pod["spec"], **change}})
        refused.append(status)
        record(str(change), {**body, "message": body["message"].partition("@@")[0].strip(), "details": ""})

    assert (fine, refused) == (200, [422] * 5)


def test_the_generation_counts_changes_of_the_spec(ground, namespace, record):
    made = ground.raw("POST", pods(namespace), idle("p"))[2]
    labelled = _merge(ground, f"{pods(namespace)}/p", {"metadata": {"labels": {"a": "b"}}})
    changed = _merge(ground, f"{pods(namespace)}/p", {"spec": {"activeDeadlineSeconds": 9}})

    record("generations", [o["metadata"].get("generation") for o in (made, labelled, changed)])
    assert changed["metadata"]["generation"] > labelled["metadata"]["generation"]


def _merge(ground, path, patch):
    return ground.raw("PATCH", path, patch, {"Content-Type": "application/merge-patch+json"})[2]
