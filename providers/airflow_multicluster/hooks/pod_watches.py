"""Share one watch among all triggers that wait for pods of a cluster and namespace."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from multicluster.pods.kubernetes_source import KubernetesSource, no_such_pod, pod_model
from multicluster.pods.watch import PodWatch
from multicluster.pods.watches import PodWatches

if TYPE_CHECKING:
    from multicluster import Cluster
    from multicluster.pods.entry import Sighting
    from multicluster.pods.watch import WatchedPod

MADE_BY_AIRFLOW = {"kubernetes_pod_operator": "True"}
"""What KubernetesPodOperator labels its pods with; others need not be told of."""
_WATCHES = PodWatches()


def pod_watch(cluster: Cluster, namespace: str) -> PodWatch:
    """Return this event loop's watch of the namespace."""

    @asynccontextmanager
    async def connect() -> AsyncIterator[KubernetesSource]:
        async with cluster.keeping_async_client():
            yield KubernetesSource(cluster.async_client, namespace=namespace, labels=MADE_BY_AIRFLOW)

    return _WATCHES.watch(
        (cluster, namespace),
        lambda ended: PodWatch(connect, cluster=cluster.name, namespace=namespace, labels=MADE_BY_AIRFLOW, ended=ended),
    )


class PodReader:
    """Reads one watched pod as the model of kubernetes_asyncio, which it makes once for each state of the pod."""

    def __init__(self, cluster: Cluster, pod: WatchedPod, name: str) -> None:
        self.pod = pod
        self._cluster = cluster
        self._name = name
        self._made: tuple[Sighting, Any] | None = None

    async def read(self) -> Any:
        """Return the pod. Raises as the client would where there is none, and as WatchedPod.read does."""
        sighting = await self.pod.read()
        if sighting is None:
            raise no_such_pod(self._name)
        if self._made is None or self._made[0] is not sighting:
            client = await self._cluster.async_client()
            async with _WATCHES.turn():
                self._made = (sighting, pod_model(client, sighting))
        return self._made[1]
