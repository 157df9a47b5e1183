"""Reach a cluster by its registry name, for tasks and for triggers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.cncf.kubernetes.hooks.kubernetes import AsyncKubernetesHook, KubernetesHook

from airflow_multicluster.off_loop import off_loop
from airflow_multicluster.registry import airflow_registry, registry_of_connection

if TYPE_CHECKING:
    import kubernetes.client
    import kubernetes_asyncio.client

    from multicluster import Cluster


class ClusterHook(KubernetesHook):
    """A KubernetesHook whose client comes from the registry: everything that takes the stock hook takes this one.

    :param cluster: the cluster's name in the registry.
    :param multicluster_conn_id: used by the connection form's *Test* button only; registries are found by
        ``airflow_registry``.
    """

    conn_name_attr = "multicluster_conn_id"
    default_conn_name = "multicluster_default"
    conn_type = "multicluster"
    hook_name = "Multicluster registry"

    def __init__(self, cluster: str | None = None, *, multicluster_conn_id: str | None = None) -> None:
        super().__init__(conn_id=None, kubernetes_conn_id=None)
        self.cluster_name = cluster
        self.multicluster_conn_id = multicluster_conn_id

    @cached_property
    def cluster(self) -> Cluster:
        """Look the name up. Raises UnknownClusterError."""
        return find_cluster(self.cluster_name)

    def get_conn(self) -> kubernetes.client.ApiClient:
        """Return the cluster's client, one per process; it renews its own credentials."""
        self._is_in_cluster = self.cluster.kind == "inCluster"
        return self.cluster.client()

    def get_namespace(self) -> str | None:
        """Return the namespace of the cluster's pod profile."""
        return self.cluster.pods.namespace

    def test_connection(self) -> tuple[bool, str]:
        """Read the connection's registry document; with a cluster's name, ask its API server for its version too."""
        if self.cluster_name:
            answered, text = super().test_connection()
            return bool(answered), str(text)
        try:
            registry = registry_of_connection(self.multicluster_conn_id or self.default_conn_name)
        except Exception as error:  # noqa: BLE001 - the form shows whatever went wrong
            return False, f"{type(error).__name__}: {error}"
        return True, f"{len(registry)} clusters: {', '.join(sorted(registry))}"


class AsyncClusterHook(AsyncKubernetesHook):
    """The same for triggers: the client is shared per event loop, and resolved off the loop."""

    def __init__(self, cluster: str) -> None:
        super().__init__(conn_id=None, kubernetes_conn_id=None)
        self._extras: dict[str, Any] = {}
        self.cluster_name = cluster
        self._cluster: Cluster | None = None

    async def cluster(self) -> Cluster:
        """Look the name up, once. Raises UnknownClusterError."""
        if self._cluster is None:
            self._cluster = await off_loop(find_cluster, self.cluster_name)
        return self._cluster

    @asynccontextmanager
    async def get_conn(self) -> AsyncIterator[kubernetes_asyncio.client.ApiClient]:
        """Lend the cluster's client; it stays open for the next borrower."""
        cluster = await self.cluster()
        self._is_in_cluster = cluster.kind == "inCluster"
        yield await cluster.async_client()


def find_cluster(name: Any) -> Cluster:
    """Return the cluster of that name; a name that is no text is refused before it is looked up."""
    if not isinstance(name, str) or not name:
        raise TypeError(f"a cluster's name is a non-empty text; got {name!r} (a template or XCom that gave nothing?)")
    return airflow_registry()[name]
