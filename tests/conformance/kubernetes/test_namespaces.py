"""Namespaces, from their first object to their last."""

from __future__ import annotations

import uuid

import pytest

from .test_create import idle, maps, pods

MERGE = {"Content-Type": "application/merge-patch+json"}
SPACES = "/api/v1/namespaces"


def test_a_namespace_is_active_and_labelled_with_its_name(ground, namespace, record):
    body = ground.raw("GET", f"{SPACES}/{namespace}")[2]

    record("body", body)
    assert (body["status"]["phase"], body["spec"]["finalizers"]) == ("Active", ["kubernetes"])


@pytest.mark.parametrize("name", ["With.dot", "with.dot", "x" * 64, "Upper"])
def test_the_name_of_a_namespace_is_a_label(ground, record, name):
    status, _, body = ground.raw("POST", SPACES, {"metadata": {"name": name}})

    record("body", body)
    assert status == 422


def test_a_namespace_takes_its_content_along(ground, eventually, names, record):
    name = f"conformance-{uuid.uuid4().hex[:8]}"
    names[name] = "<namespace>"
    ground.raw("POST", SPACES, {"metadata": {"name": name}})
    eventually(lambda: ground.raw("GET", f"{SPACES}/{name}/serviceaccounts/default")[0] == 200)
    ground.raw("POST", maps(name), {"metadata": {"name": "a"}})
    ground.raw("POST", pods(name), idle("p"))

    status, _, body = ground.raw("DELETE", f"{SPACES}/{name}")

    record("answer", [status, body["kind"], body["status"]["phase"], "deletionTimestamp" in body["metadata"]])
    assert (status, body["status"]["phase"]) == (200, "Terminating")
    eventually(lambda: ground.raw("GET", f"{SPACES}/{name}")[0] == 404, 60)
    assert ground.raw("GET", f"{pods(name)}/p")[0] == 404


def test_nothing_new_comes_into_a_namespace_that_ends(ground, eventually, names, record):
    name = f"conformance-{uuid.uuid4().hex[:8]}"
    names[name] = "<namespace>"
    ground.raw("POST", SPACES, {"metadata": {"name": name}})
    eventually(lambda: ground.raw("GET", f"{SPACES}/{name}/serviceaccounts/default")[0] == 200)
    ground.raw("POST", maps(name), {"metadata": {"name": "held", "finalizers": ["example.com/hold"]}})
    ground.raw("DELETE", f"{SPACES}/{name}")

    status, _, body = ground.raw("POST", maps(name), {"metadata": {"name": "late"}})
    again = ground.raw("DELETE", f"{SPACES}/{name}")

    record("body", body)
    record("again", [again[0], again[2].get("kind"), again[2].get("reason")])
    assert (status, body["reason"]) == (403, "Forbidden")
    ground.raw("PATCH", f"{maps(name)}/held", {"metadata": {"finalizers": None}}, MERGE)
    eventually(lambda: ground.raw("GET", f"{SPACES}/{name}")[0] == 404, 60)


@pytest.mark.parametrize("name", ["default", "kube-system"])
def test_the_first_namespaces_cannot_be_deleted(ground, record, name):
    status, _, body = ground.raw("DELETE", f"{SPACES}/{name}")

    record("body", body)
    assert status == 403


def test_the_first_namespaces_are_there(ground, record):
    found = {item["metadata"]["name"] for item in ground.raw("GET", SPACES)[2]["items"]}

    first = {"default", "kube-node-lease", "kube-public", "kube-system"}
    record("first", sorted(first & found))
    assert first <= found
