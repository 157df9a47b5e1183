"""ConfigMaps, Secrets and service accounts."""

from __future__ import annotations

import base64

import pytest

from .test_create import maps

MERGE = {"Content-Type": "application/merge-patch+json"}


def secrets(namespace):
    return f"/api/v1/namespaces/{namespace}/secrets"


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({"data": {"not good": "v"}}, 422),
        ({"data": {"": "v"}}, 422),
        ({"data": {"..": "v"}}, 422),
        ({"data": {"k" * 254: "v"}}, 422),
        ({"binaryData": {"k": "not base64!"}}, 400),
        ({"data": {"k": "v"}, "binaryData": {"k": "dg=="}}, 422),
        ({"data": {"k": "x" * (1024 * 1024 + 1)}}, 422),
        ({"immutable": "yes"}, 400),
    ],
    ids=lambda sent: "-".join(sent) + str(len(str(sent))) if isinstance(sent, dict) else None,
)
def test_a_map_is_checked(ground, namespace, record, sent, code):
    status, _, body = ground.raw("POST", maps(namespace), {"metadata": {"name": "a"}, **sent})

    record("answer", [status, body])
    assert (status, body["code"]) == (code, code)


def test_a_map_keeps_texts_and_bytes(ground, namespace, record):
    sent = {"metadata": {"name": "a"}, "data": {"k.txt": "v\n"}, "binaryData": {"b": "AAEC"}}

    body = ground.raw("POST", maps(namespace), sent)[2]

    record("body", body)
    assert (body["data"], body["binaryData"]) == ({"k.txt": "v\n"}, {"b": "AAEC"})


def test_an_immutable_map_stays_as_it_is(ground, namespace, record):
    ground.raw("POST", maps(namespace), {"metadata": {"name": "a"}, "data": {"k": "v"}, "immutable": True})

    data = ground.raw("PATCH", f"{maps(namespace)}/a", {"data": {"k": "w"}}, MERGE)
    loose = ground.raw("PATCH", f"{maps(namespace)}/a", {"immutable": False}, MERGE)
    labels = ground.raw("PATCH", f"{maps(namespace)}/a", {"metadata": {"labels": {"l": "1"}}}, MERGE)

    record("data", data[2])
    record("loose", loose[2])
    assert (data[0], loose[0], labels[0]) == (422, 422, 200)


def test_a_secret_takes_plain_texts_and_shows_them_encoded(ground, namespace, record):
    sent = {"metadata": {"name": "s"}, "data": {"a": "YQ==", "b": "Yg=="}, "stringData": {"b": "plain", "c": "ä"}}

    status, _, body = ground.raw("POST", secrets(namespace), sent)

    record("body", body)
    assert (status, body["type"], "stringData" in body) == (201, "Opaque", False)
    assert {key: base64.b64decode(value).decode() for key, value in body["data"].items()} == {
        "a": "a",
        "b": "plain",
        "c": "ä",
    }


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({"data": {"k": "not base64!"}}, 400),
        ({"data": {"k": "YQ"}}, 400),
        ({"data": {"not good": "YQ=="}}, 422),
        ({"data": {"k": 1}}, 400),
        ({"stringData": {"k": 1}}, 400),
        ({"data": {"k": base64.b64encode(b"x" * (1024 * 1024 + 1)).decode()}}, 422),
    ],
    ids=lambda sent: "-".join(str(v)[:20] for v in sent.values()) if isinstance(sent, dict) else None,
)
def test_a_secret_is_checked(ground, namespace, record, sent, code):
    status, _, body = ground.raw("POST", secrets(namespace), {"metadata": {"name": "s"}, **sent})

    record("answer", [status, body])
    assert (status, body["code"]) == (code, code)


def test_a_secret_keeps_its_type_and_may_be_immutable(ground, namespace, record):
    ground.raw("POST", secrets(namespace), {"metadata": {"name": "s"}, "type": "mine", "immutable": True})

    retyped = ground.raw("PATCH", f"{secrets(namespace)}/s", {"type": "other"}, MERGE)
    filled = ground.raw("PATCH", f"{secrets(namespace)}/s", {"stringData": {"k": "v"}}, MERGE)

    record("retyped", [retyped[0], retyped[2]])
    record("filled", [filled[0], filled[2]])
    assert (retyped[0], filled[0]) == (422, 422)


def test_a_secret_is_found_by_its_type(ground, namespace):
    ground.raw("POST", secrets(namespace), {"metadata": {"name": "s"}, "type": "mine"})

    found = ground.raw("GET", f"{secrets(namespace)}?fieldSelector=type%3Dmine")[2]["items"]

    assert [item["metadata"]["name"] for item in found] == ["s"]


def test_a_namespace_has_an_account_and_the_authority(ground, namespace, record, eventually):
    account = ground.raw("GET", f"/api/v1/namespaces/{namespace}/serviceaccounts/default")[2]
    authority = eventually(lambda: _found(ground.raw("GET", f"{maps(namespace)}/kube-root-ca.crt")))

    record("account", account)
    record("authority", {**authority, "data": sorted(authority["data"])})
    assert "BEGIN CERTIFICATE" in authority["data"]["ca.crt"]


def test_the_account_of_a_namespace_comes_back(ground, namespace, eventually):
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/default"
    before = ground.raw("GET", path)[2]["metadata"]["uid"]

    ground.raw("DELETE", path)

    assert eventually(lambda: (_found(ground.raw("GET", path)) or {}).get("metadata", {}).get("uid", before) != before)


def test_a_token_of_an_account_is_given_or_not_served(ground, namespace, record):
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/default/token"

    status, _, body = ground.raw("POST", path, {"spec": {"expirationSeconds": 600}})

    record("status", status)
    assert status in (201, 404)
    assert status == 404 or body["status"]["token"].count(".") == 2


def _found(answer):
    return answer[2] if answer[0] == 200 else None
