"""What the registry pins holds for every connection, also to where a cluster says that it moved."""

from __future__ import annotations

import asyncio
import base64
import json

import pytest
from kubernetes.client import CoreV1Api
from kubernetes_asyncio.client import CoreV1Api as AsyncCoreV1Api

from multicluster import load_registry
from multicluster.errors import ClusterIdentityError
from multicluster.registry.identity import ca_digests


@pytest.fixture
def kubeconfig(tmp_path):
    def write(server, authority):
        path = tmp_path / "kubeconfig"
        data = base64.b64encode(authority.pem).decode()
        content = {
            "clusters": [{"name": "c", "cluster": {"server": server.url, "certificate-authority-data": data}}],
            "users": [{"name": "u", "user": {"token": "secret"}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        }
        path.write_text(json.dumps(content))
        return str(path)

    return write


def cluster(path, pinned):
    (digest,) = ca_digests(pinned.pem)
    entry = {
        "name": "gpu",
        "auth": {"kubeconfig": {"path": path, "context": "x"}},
        "identity": {"caSha256": digest},
        "network": {"connectTimeoutSeconds": 2, "readTimeoutSeconds": 2},
    }
    return load_registry({"apiVersion": "multicluster/v1alpha1", "kind": "ClusterRegistry", "clusters": [entry]})["gpu"]


@pytest.fixture
def stranger(serve, ca):
    """A server of another cluster, and its authority."""
    authority = type(ca)()
    return serve(authority, name="stranger"), authority


def list_in_sync(pinned):
    client = CoreV1Api(pinned.client())
    yield client.list_namespaced_pod("ml").items
    yield client.list_namespaced_pod("ml").items


def list_in_async(pinned):
    with asyncio.Runner() as runner:
        client = runner.run(pinned.async_client())
        try:
            for _ in range(2):
                yield runner.run(AsyncCoreV1Api(client).list_namespaced_pod("ml")).items
        finally:
            runner.run(client.close())


@pytest.mark.parametrize("listing", [list_in_sync, list_in_async])
def test_a_cluster_that_moved_to_an_authority_that_is_not_pinned_gets_no_request(
    server, ca, stranger, kubeconfig, listing
):
    other, authority = stranger
    lists = listing(cluster(kubeconfig(server, ca), ca))
    first = next(lists)
    kubeconfig(other, authority)
    server.stop()
    server.drop_connections()

    with pytest.raises(ClusterIdentityError, match="cluster 'gpu' is not the one that the registry pins: its CA is"):
        next(lists)
    assert first == []
    assert other.recorded == []


@pytest.mark.parametrize("listing", [list_in_sync, list_in_async])
def test_a_cluster_whose_authority_was_never_pinned_gets_no_request(server, ca, kubeconfig, listing):
    with pytest.raises(ClusterIdentityError):
        next(listing(cluster(kubeconfig(server, ca), type(ca)())))
    assert server.recorded == []
