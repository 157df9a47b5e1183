"""Who gets in, and what those who do not are told."""

from __future__ import annotations

PODS = "/api/v1/namespaces/default/pods"


def test_a_bad_token_is_told_nothing_but_unauthorized(ground, record):
    status, headers, body = ground.raw("GET", PODS, headers={"Authorization": "Bearer wrong"}, user="")

    record("body", body)
    assert (status, body["message"], body["reason"]) == (401, "Unauthorized", "Unauthorized")
    assert headers["Content-Type"] == "application/json"


def test_nobody_is_anonymous_and_forbidden(ground, record):
    status, _, body = ground.raw("GET", PODS, user="")

    record("body", body)
    assert status == 403
    assert 'User "system:anonymous" cannot list resource "pods"' in body["message"]
