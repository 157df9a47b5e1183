"""Secrets are found wherever they stand, and nothing else is taken for one."""

from __future__ import annotations

import base64

import pytest

from multicluster import RegistryDocumentError, load_registry
from multicluster.registry.secrets import KEYS, may_hold_secrets, redacted, secrets_in, shape_of

SHAPED = {
    "AKIA": "AKIAIOSFODNN7EXAMPLE",
    "ASIA": "see ASIAIOSFODNN7EXAMPLE there",
    "jwt": "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJDQU5BUlkifQ.sig",
    "google": "ya29.a0AfH6SMBcanarycanarycanary",
    "eks": "k8s-aws-v1.aHR0cHM6Ly9zdHMuYW1hem9uYXdz",
    "github": "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
    "pem": "-----BEGIN PRIVATE KEY-----\nabc",
    "ec pem": "-----BEGIN EC PRIVATE KEY-----",
    "base64 of pem": base64.b64encode(b"-----BEGIN RSA PRIVATE KEY-----\nabc").decode(),
    "base64 of plain pem": base64.b64encode(b"-----BEGIN PRIVATE KEY-----\nabc").decode(),
    "base64 of openssh": base64.b64encode(b"-----BEGIN OPENSSH PRIVATE KEY-----\nabc").decode(),
    "base64 of encrypted pem": base64.b64encode(b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nabc").decode(),
    "base64 of dsa pem": base64.b64encode(b"-----BEGIN DSA PRIVATE KEY-----\nabc").decode(),
    "assignment": "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "proxy": "http://user:word@proxy:3128",
}
HARMLESS = [
    "arn:aws:iam::111122223333:role/AKIA",
    "https://ABCDEF0123456789ABCD.gr7.us-east-1.eks.amazonaws.com",
    base64.b64encode(b"-----BEGIN CERTIFICATE-----\nMIIC").decode(),
    "-----BEGIN CERTIFICATE-----",
    "https://user@host/",
    "airflow@acme.iam.gserviceaccount.com",
    "eyJ",
    "nvidia.com/gpu",
]


@pytest.mark.parametrize("name", SHAPED)
def test_a_secret_is_known_by_its_shape(name):
    text = SHAPED[name]

    assert shape_of(text)
    assert list(secrets_in({"a": [{"b": text}]})) == [(("a", 0, "b"), shape_of(text))]
    assert may_hold_secrets(f"x: {text}")
    assert shape_of(redacted(text)) is None


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_looks_alike_is_left_alone(text):
    assert shape_of(text) is None
    assert redacted(text) == text


@pytest.mark.parametrize("key", sorted(KEYS))
def test_a_key_that_means_a_secret_is_found_by_the_cheap_look_too(key):
    assert may_hold_secrets(f"a:\n  {key}: x\n")
    assert may_hold_secrets(f'{{"{key.upper()}": "x"}}')


@pytest.mark.parametrize("key", ["secretAccessKey", "client-key-data", "private_key", "bearerToken", "Password"])
def test_a_key_is_known_in_every_spelling(key):
    assert [path for path, _ in secrets_in({"a": {key: "x"}})] == [("a", key)]


def test_names_of_secrets_are_no_secrets():
    document = {"imagePullSecrets": ["ecr"], "tokenFile": "/var/run/token", "token": None, "key": "nvidia.com/gpu"}

    assert list(secrets_in(document)) == []


@pytest.mark.parametrize("where", ["displayName", "labels", "name", "unknown"])
@pytest.mark.parametrize("name", SHAPED)
def test_no_message_repeats_a_secret_wherever_it_stands(document, where, name):
    text = SHAPED[name]
    fields = {"auth": {"inCluster": {}}, where: {"a": text} if where == "labels" else text}
    made = document(a=fields)
    made["clusters"][0] = {"name": "a", **fields}

    with pytest.raises(RegistryDocumentError) as caught:
        load_registry(made)

    assert "stands in the registry" in str(caught.value)
    assert text not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("name", ["AKIA", "jwt", "proxy"])
def test_a_secret_used_as_a_key_is_not_repeated(document, name):
    with pytest.raises(RegistryDocumentError) as caught:
        load_registry(document(a={"auth": {"inCluster": {}}, SHAPED[name]: 1}))

    assert SHAPED[name] not in str(caught.value)


AWS_SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


@pytest.mark.parametrize("key", ["aws", "my-aws-secret", "secret-of-ci", "dbPassword", "credentials"])
def test_forty_characters_below_a_name_of_a_secret_are_one(key):
    assert list(secrets_in({"labels": {key: AWS_SECRET}})) == [(("labels", key), "an AWS secret key")]
    assert may_hold_secrets(f"labels: {{{key}: {AWS_SECRET}}}")


def test_forty_characters_beside_an_access_key_id_are_a_secret():
    found = dict(secrets_in({"id": SHAPED["AKIA"], "other": AWS_SECRET}))

    assert found == {("id",): "an AWS access key id", ("other",): "an AWS secret key"}


@pytest.mark.parametrize("key", ["commit", "checksum", "note"])
def test_forty_characters_elsewhere_are_left_alone(key):
    assert list(secrets_in({key: AWS_SECRET})) == []


def test_a_digest_below_a_name_of_a_secret_is_left_alone():
    assert list(secrets_in({"aws-ami-digest": "da39a3ee5e6b4b0d3255bfef95601890afd80709"})) == []


@pytest.mark.parametrize("value", [12345678, ["x"], [1], {"value": "x"}, [{"a": ["x"]}], 0, 1.5])
def test_what_stands_below_a_key_of_a_secret_is_one_in_every_form(value):
    assert list(secrets_in({"a": {"password": value}})) == [(("a", "password"), "a secret")]


@pytest.mark.parametrize("value", [None, "", [], {}, True, [None], {"a": ""}])
def test_nothing_below_a_key_of_a_secret_is_no_secret(value):
    assert list(secrets_in({"password": value})) == []


@pytest.mark.parametrize("text", ['"\\x74oken": hunter2', "? token # of ci\n: hunter2"])
def test_a_key_in_an_unusual_spelling_is_looked_at_closely(text):
    assert may_hold_secrets(text)
