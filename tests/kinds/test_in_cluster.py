from __future__ import annotations

import datetime as dt
import shutil

import pytest

from multicluster.access.kind import ClusterContext, Network
from multicluster.errors import AccessError, CredentialError, NodePoolsUnsupportedError
from multicluster.kinds.in_cluster.access import InClusterAccess
from multicluster.kinds.in_cluster.options import InClusterOptions

NOW = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "token").write_text("first\n")
    (tmp_path / "ca.crt").write_bytes(b"CA")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    return tmp_path


@pytest.fixture
def now():
    return [NOW]


@pytest.fixture
def access(folder, now):
    context = ClusterContext(name="here", clock=lambda: now[0], network=Network(read_timeout=7))
    return InClusterAccess(InClusterOptions(), context, service_account=folder)


def test_the_api_server_is_where_the_kubelet_says(access):
    endpoint = access.endpoint()

    assert (endpoint.server, endpoint.ca_pem, endpoint.read_timeout) == ("https://10.0.0.1:443", b"CA", 7)


def test_an_ipv6_service_stands_in_brackets(access, monkeypatch):
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")

    assert access.endpoint().server == "https://[fd00::1]:443"


def test_the_token_is_read_again_after_a_minute(access, folder, now):
    first = access.tokens.token().value
    (folder / "token").write_text("second")
    now[0] += dt.timedelta(seconds=59)
    still = access.tokens.token().value
    now[0] += dt.timedelta(seconds=1)

    assert (first, still, access.tokens.token().value) == ("first", "first", "second")


def test_a_rotated_ca_is_read_when_asked_afresh(access, folder):
    access.endpoint()
    (folder / "ca.crt").write_bytes(b"NEW")

    assert (access.endpoint().ca_pem, access.endpoint(fresh=True).ca_pem) == (b"CA", b"NEW")


@pytest.mark.parametrize("content", [b"", b" \n"])
def test_an_empty_ca_is_refused_rather_than_public_ones_trusted(access, folder, content):
    (folder / "ca.crt").write_bytes(content)

    with pytest.raises(AccessError, match=r"cluster 'here': the cluster's CA .*ca\.crt is empty"):
        access.endpoint()


def test_outside_of_a_pod_the_error_says_so(access, monkeypatch):
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST")

    with pytest.raises(AccessError, match="cluster 'here': this process runs in no pod"):
        access.endpoint()


def test_a_pod_without_service_account_has_no_token(access, folder):
    shutil.rmtree(folder)

    with pytest.raises(CredentialError, match="cluster 'here': its token cannot be read"):
        access.tokens.token()


@pytest.mark.parametrize("content", ["canary\nX: y", "canary canary", "canary☃"])
def test_a_token_that_no_header_could_hold_is_refused_without_quoting_it(access, folder, content):
    (folder / "token").write_text(content, encoding="utf-8")

    with pytest.raises(CredentialError, match="characters that no token has") as caught:
        access.tokens.token()
    assert "canary" not in str(caught.value)


def test_there_are_no_node_pools(access):
    with pytest.raises(NodePoolsUnsupportedError, match="inCluster"):
        access.node_pools()
