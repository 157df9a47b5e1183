"""Share one watch of pods, and one of their events, among all triggers of a cluster and namespace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any

from multicluster.pods.events import PodEvents
from multicluster.pods.kubernetes_source import KubernetesSource, event_model, no_such_pod, pod_model
from multicluster.pods.per_loop import PerLoop
from multicluster.pods.shared_follower import Connect, Place
from multicluster.pods.watch import PodWatch

if TYPE_CHECKING:
    from multicluster import Cluster
    from multicluster.pods.entry import Sighting
    from multicluster.pods.watch import WatchedPod

MADE_BY_AIRFLOW = {"kubernetes_pod_operator": "True"}
"""What KubernetesPodOperator labels its pods with; others need not be told of."""
LOGS_AT_ONCE = 4
_SHARED: PerLoop[Any] = PerLoop()


def pod_watch(cluster: Cluster, namespace: str) -> PodWatch:
    """Return this event loop's watch of the pods of a namespace."""
    connect, place = _source(cluster, namespace, "pod"), Place(cluster=cluster.name, namespace=namespace)
    watch: PodWatch = _SHARED.get(
        (cluster, namespace, "pod"), lambda ended: PodWatch(connect, place, labels=MADE_BY_AIRFLOW, ended=ended)
    )
    return watch


def pod_events(cluster: Cluster, namespace: str) -> PodEvents:
    """Return this event loop's watch of the events of a namespace."""
    connect, place = _source(cluster, namespace, "event"), Place(cluster=cluster.name, namespace=namespace)
    events: PodEvents = _SHARED.get((cluster, namespace, "event"), lambda ended: PodEvents(connect, place, ended=ended))
    return events


def log_turns(cluster: Cluster) -> asyncio.Semaphore:
    """Return what limits how many logs of a cluster this event loop reads at the same time."""
    turns: asyncio.Semaphore = _SHARED.get((cluster, "logs"), lambda _: asyncio.Semaphore(LOGS_AT_ONCE))
    return turns


def _source(cluster: Cluster, namespace: str, kind: str) -> Connect:
    @asynccontextmanager
    async def connect() -> AsyncIterator[KubernetesSource]:
        async with cluster.keeping_async_client():
            yield KubernetesSource(cluster.async_client, namespace=namespace, kind=kind, labels=MADE_BY_AIRFLOW)

    return connect


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
            async with _SHARED.turn():
                self._made = (sighting, pod_model(client, sighting, self._made))
        return self._made[1]

    async def events(self, namespace: str) -> AsyncGenerator[Any, None]:
        """Yield the pod's events, the past ones first; ends where they may not be watched."""
        events = pod_events(self._cluster, namespace)
        async with aclosing(events.about(self._name)) as told:
            async for event in told:
                yield event_model(await self._cluster.async_client(), event)
