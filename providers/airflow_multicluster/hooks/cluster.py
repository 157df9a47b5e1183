"""Reach a cluster by its registry name, for tasks and for triggers."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.cncf.kubernetes.hooks.kubernetes import AsyncKubernetesHook, KubernetesHook

from airflow_multicluster.off_loop import off_loop
from airflow_multicluster.registry import airflow_registry, registry_of_connection

if TYPE_CHECKING:
    import kubernetes.client
    import kubernetes_asyncio.client

    from airflow_multicluster.hooks.pod_watches import PodReader
    from multicluster import Cluster
    from multicluster.pods.watch import WatchedPod


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

    def get_pod(self, name: str, namespace: str) -> Any:
        """Return the pod, as soon as its API server gives a good answer: the stock hook asks once."""
        from airflow_multicluster.patience import patiently

        stock = super().get_pod
        return patiently(lambda: stock(name, namespace), log=self.log)

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
    """The same for triggers: client and watch are shared per event loop, and the name is resolved off the loop."""

    _event_polling_fallback: bool

    def __init__(self, cluster: str) -> None:
        super().__init__(conn_id=None, kubernetes_conn_id=None)
        self._extras: dict[str, Any] = {}
        self.cluster_name = cluster
        self._cluster: Cluster | None = None
        self._readers: dict[tuple[str, str], PodReader] = {}

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

    @asynccontextmanager
    async def waiting_for(self, name: str, namespace: str) -> AsyncIterator[WatchedPod]:
        """Read this pod from the watch that all triggers of the namespace share, for the block."""
        from airflow_multicluster.hooks.pod_watches import PodReader, pod_watch

        cluster = await self.cluster()
        async with cluster.keeping_async_client(), pod_watch(cluster, namespace).waiting_for(name) as pod:
            self._readers[name, namespace] = PodReader(cluster, pod, name)
            try:
                yield pod
            finally:
                del self._readers[name, namespace]

    @asynccontextmanager
    async def reading_a_log(self) -> AsyncIterator[None]:
        """Wait for a turn among those who read logs of this cluster, for the block."""
        from airflow_multicluster.hooks.pod_watches import log_turns

        async with log_turns(await self.cluster()):
            yield

    async def get_pod(self, name: str, namespace: str) -> Any:
        """Return the pod as it is known by the shared watch, or ask the API server where none is waited for."""
        reader = self._readers.get((name, namespace))
        return await (reader.read() if reader else super().get_pod(name, namespace))

    async def watch_pod_events(
        self, name: str, namespace: str, resource_version: str | None = None, timeout_seconds: int = 30
    ) -> AsyncGenerator[Any, None]:
        """Yield the pod's events from the watch that all triggers of the namespace share, or as the stock hook does.

        An API server refuses ``timeoutSeconds=0.1`` with 400: the stock watch is asked for whole seconds.
        """
        reader = self._readers.get((name, namespace))
        if reader is not None and not self._event_polling_fallback:
            async with aclosing(reader.events(namespace)) as events:
                async for event in events:
                    yield event
            self._event_polling_fallback = True  # the stock hook's word for: they may not be watched
        seconds = timeout_seconds if self._event_polling_fallback else max(1, math.ceil(timeout_seconds))
        async for event in super().watch_pod_events(name, namespace, resource_version, seconds):
            yield event


def find_cluster(name: Any) -> Cluster:
    """Return the cluster of that name; a name that is no text is refused before it is looked up."""
    if not isinstance(name, str) or not name:
        raise TypeError(f"a cluster's name is a non-empty text; got {name!r} (a template or XCom that gave nothing?)")
    return airflow_registry()[name]
