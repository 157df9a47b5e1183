"""Quotas: how much a namespace allows."""

from __future__ import annotations

import pytest

from .test_create import idle, maps, pods


def asking(name, limits=None, requests=None):
    resources = {"limits": limits or {}, "requests": requests or {}}
    return idle(name, containers=[{"name": "base", "image": "busybox:1.36", "resources": resources}])


@pytest.fixture
def quota(ground, namespace, eventually):
    def make(hard, **spec):
        path = f"/api/v1/namespaces/{namespace}/resourcequotas"
        status, _, body = ground.raw("POST", path, {"metadata": {"name": "q"}, "spec": {"hard": hard, **spec}})
        assert status == 201, body
        return eventually(lambda: _counted(ground.raw("GET", f"{path}/q")[2]))

    return make


def _counted(body):
    return body if "hard" in body.get("status", {}) else None


def test_a_quota_says_what_is_used(ground, namespace, quota, record, eventually):
    made = quota({"pods": "2", "requests.nvidia.com/gpu": "1", "configmaps": "5"})
    ground.raw("POST", pods(namespace), asking("p", {"nvidia.com/gpu": "1"}))
    path = f"/api/v1/namespaces/{namespace}/resourcequotas/q"

    used = eventually(lambda: (status := ground.raw("GET", path)[2]["status"])["used"]["pods"] == "1" and status)

    record("made", {**made, "status": {"hard": made["status"]["hard"]}})
    record("used", used)
    assert used["used"]["requests.nvidia.com/gpu"] == "1"


def test_a_pod_too_many_is_refused(ground, namespace, quota, record):
    quota({"pods": "1"})

    first = ground.raw("POST", pods(namespace), idle("p1"))
    status, _, body = ground.raw("POST", pods(namespace), idle("p2"))

    record("body", body)
    assert (first[0], status, body["reason"]) == (201, 403, "Forbidden")
    assert (
        body["message"] == 'pods "p2" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1'
    )


def test_what_is_gone_is_free_again(ground, namespace, quota, eventually):
    quota({"pods": "1"})
    ground.raw("POST", pods(namespace), idle("p1"))
    ground.raw("DELETE", f"{pods(namespace)}/p1")

    assert eventually(lambda: ground.raw("POST", pods(namespace), idle("p2"))[0] == 201)


def test_gpus_are_counted(ground, namespace, quota, record):
    quota({"requests.nvidia.com/gpu": "2"})
    ground.raw("POST", pods(namespace), asking("p1", {"nvidia.com/gpu": "1"}))

    status, _, body = ground.raw("POST", pods(namespace), asking("p2", {"nvidia.com/gpu": "2"}))

    record("body", body)
    assert status == 403


def test_several_amounts_are_counted_in_one_refusal(ground, namespace, quota, record):
    quota({"requests.cpu": "1", "limits.memory": "1Gi", "pods": "10"})

    too_much = ground.raw("POST", pods(namespace), asking("p", {"memory": "2Gi", "cpu": "3"}, {"cpu": "1500m"}))
    unsaid = ground.raw("POST", pods(namespace), idle("p"))

    record("too much", too_much[2])
    record("unsaid", unsaid[2])
    assert (too_much[0], unsaid[0]) == (403, 403)


def test_a_limit_range_is_kept_or_not_served(ground, namespace, record):
    limits = {"type": "Container", "default": {"memory": "64Mi"}}
    path = f"/api/v1/namespaces/{namespace}/limitranges"

    status, _, _ = ground.raw("POST", path, {"metadata": {"name": "l"}, "spec": {"limits": [limits]}})

    record("status", status)
    assert status in (201, 404)


def test_a_quota_of_objects(ground, namespace, quota, record):
    quota({"count/configmaps": "3"})

    answers = [ground.raw("POST", maps(namespace), {"metadata": {"name": f"m{n}"}}) for n in range(4)]

    record("refusal", [answer[0] for answer in answers])
    assert answers[0][0] == 201
