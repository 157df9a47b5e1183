"""Whatever stands in a kubeconfig, it ends in an AccessError that names the place and quotes no secret."""

from __future__ import annotations

import base64

import pytest
import yaml

from multicluster.access.kind import ClusterContext
from multicluster.errors import AccessError, CredentialError
from multicluster.kinds.kubeconfig.access import KubeconfigAccess
from multicluster.kinds.kubeconfig.options import KubeconfigOptions

CA = base64.b64encode(b"CA").decode()
SERVER = "https://one.example"


@pytest.fixture
def resolve(tmp_path):
    """Write a kubeconfig, and read endpoint and token out of it."""

    def reach(*, cluster=None, user=None, raw=None):
        document = {
            "clusters": [
                {"name": "c", "cluster": cluster if isinstance(cluster, str) else {"server": SERVER, **(cluster or {})}}
            ],
            "users": [{"name": "u", "user": {"token": "canary"} if user is None else user}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        }
        path = tmp_path / "config"
        path.write_text(raw if isinstance(raw, str) else yaml.safe_dump(raw or document))
        access = KubeconfigAccess(
            KubeconfigOptions(path=str(path), context="x", allow_exec=True), ClusterContext(name="laptop")
        )
        return access.endpoint(), access.tokens and access.tokens.token()

    return reach


def refused(resolve, kind, *words, **document):
    with pytest.raises(kind) as caught:
        resolve(**document)
    text = str(caught.value)
    assert not [word for word in ("cluster 'laptop'", "config", *words) if word not in text]
    assert "canary" not in text
    assert caught.value.__cause__ is None or "canary" not in str(caught.value.__cause__)


@pytest.mark.parametrize(
    ("user", "field"),
    [
        ("canary", "user 'u': user is"),
        (["canary"], "user 'u': user is a list"),
        ({"exec": "canary"}, "exec is"),
        ({"auth-provider": "canary"}, "auth-provider is"),
        ({"token": 5}, "token is a number"),
        ({"token": {"a": "canary"}}, "token is a mapping"),
        ({"token": "canary\nX: y"}, "token holds white space"),
        ({"token": "canary☃"}, "token holds white space or other"),
        ({"tokenFile": 5}, "tokenFile is a number"),
        ({"tokenFile": "a\0b"}, "tokenFile holds a NUL"),
        ({"username": 5}, "username is a number"),
        ({"token": "canary", "client-key-data": "canary!"}, "client-key-data is not base64"),
        ({"token": "canary", "client-key-data": "é"}, "client-key-data is not base64"),
        ({"token": "canary", "client-certificate-data": 5}, "client-certificate-data is a number"),
    ],
)
def test_a_wrong_field_of_the_user_is_a_credential_error_that_names_it(resolve, user, field):
    refused(resolve, CredentialError, "context 'x'", field, user=user)


@pytest.mark.parametrize(
    ("cluster", "field"),
    [
        ("canary", "cluster 'c': cluster is"),
        ({"server": 5}, "server is a number"),
        ({"server": None}, "server is missing"),
        ({"server": "https://[::1"}, "server is no URL"),
        ({"server": "https://127.0.0.1:99999"}, "server is no URL"),
        ({"server": "one.example"}, "server must begin with https://"),
        ({"server": "ftp://one.example"}, "server must begin with https://"),
        ({"server": "https://one.example/a b"}, "server holds white space"),
        ({"server": "https://bob:canary@one.example"}, "server holds a user name"),
        ({"proxy-url": "canary:1"}, "proxy-url must begin with http://"),
        ({"proxy-url": "http://bob:canary@[::1"}, "proxy-url is no URL"),
        ({"certificate-authority-data": "!!!"}, "certificate-authority-data is not base64"),
        ({"certificate-authority-data": CA[:-1] + "*"}, "certificate-authority-data is not base64"),
        ({"certificate-authority-data": "é"}, "certificate-authority-data is not base64"),
        ({"certificate-authority-data": 5}, "certificate-authority-data is a number"),
        ({"certificate-authority-data": ""}, "certificate-authority-data is empty"),
        ({"certificate-authority-data": "IA=="}, "certificate-authority-data names nothing"),
        ({"certificate-authority": "."}, "certificate-authority cannot be read"),
        ({"certificate-authority": "/dev/null"}, "certificate-authority names nothing"),
        ({"insecure-skip-tls-verify": "true"}, "insecure-skip-tls-verify is"),
        ({"insecure-skip-tls-verify": True, "certificate-authority-data": CA}, "certificate-authority-data; remove"),
        ({"insecure-skip-tls-verify": True, "certificate-authority": "ca"}, "certificate-authority; remove"),
    ],
)
def test_a_wrong_field_of_the_cluster_is_named(resolve, cluster, field):
    refused(resolve, AccessError, "context 'x'", field, cluster=cluster)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"contexts": 5}, "contexts in"),
        ({"contexts": {"x": {}}}, "contexts in"),
        ({"contexts": [{"name": "x", "context": "canary"}]}, "context 'x': context is"),
        ({"contexts": [{"name": "x", "context": {"cluster": 5}}]}, "cluster is a number"),
        ({"contexts": [{"name": "x", "context": {"cluster": "c"}}], "clusters": 5}, "clusters in"),
        ("contexts: [{name: 2020-13-45}]", "impossible date"),
        ("contexts: " + "[" * 20000, "did not find expected node"),
        ("&a {contexts: *a}", "contexts in"),
        ("{[1]: 2}", "line 1"),
        ("", "is no kubeconfig"),
    ],
)
def test_a_file_of_another_shape_is_an_access_error(resolve, raw, words):
    refused(resolve, AccessError, words, raw=raw)


def test_a_current_context_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "config").write_text("current-context: 5")
    options = KubeconfigOptions(path=str(tmp_path / "config"), use_current_context=True)

    with pytest.raises(AccessError, match="current-context is a number"):
        KubeconfigAccess(options, ClusterContext(name="laptop")).endpoint()


def test_folded_base64_is_read_as_go_reads_it(resolve):
    endpoint, _ = resolve(cluster={"certificate-authority-data": CA[:2] + "\n" + CA[2:] + "\n"})

    assert endpoint.ca_pem == b"CA"


def test_a_tokens_line_end_is_no_part_of_it(resolve):
    _, token = resolve(user={"token": "canary\n"})

    assert token.value == "canary"
