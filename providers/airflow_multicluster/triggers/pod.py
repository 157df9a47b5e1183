"""Wait for a pod of a named cluster in the triggerer."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import nullcontext
from functools import cached_property
from typing import Any

from airflow.providers.cncf.kubernetes.triggers.pod import KubernetesPodTrigger
from airflow.triggers.base import TriggerEvent

from airflow_multicluster.hooks.cluster import AsyncClusterHook
from airflow_multicluster.triggers.haste import not_in_haste
from multicluster.errors import MulticlusterError

WHEREABOUTS = frozenset({"config_dict", "connection_extras", "cluster_context", "in_cluster", "kubernetes_conn_id"})
"""Arguments of the stock trigger by which a kubeconfig travels into the database; ours has a name instead."""


class ClusterPodTrigger(KubernetesPodTrigger):
    """The stock trigger, reaching its pod by the cluster's name.

    :param cluster: the cluster's name in the registry; resolved with the triggerer's own identity.
    """

    def __init__(self, *, cluster: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cluster = cluster

    @classmethod
    def instead_of(cls, stock: KubernetesPodTrigger, *, cluster: str) -> ClusterPodTrigger:
        """Return the trigger that waits as *stock* does, without what is only true on the worker."""
        return cls(cluster=cluster, **_travelling(stock.serialize()[1]))

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return class path and arguments: names, numbers, times and what the user put into trigger_kwargs."""
        arguments = {**_travelling(super().serialize()[1]), "cluster": self.cluster}
        return f"{ClusterPodTrigger.__module__}.{ClusterPodTrigger.__qualname__}", arguments

    @cached_property
    def hook(self) -> AsyncClusterHook:
        """Reach the cluster; shared by the stock trigger's pod manager."""
        return AsyncClusterHook(self.cluster)

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait as the stock trigger does; all triggers of a cluster share one client while any of them runs."""
        started = time.monotonic()
        try:
            cluster = await self.hook.cluster()
        except MulticlusterError:
            cluster = None  # the stock trigger meets the same error, and tells it in its event
        # The stock trigger has one event; it is handed on after the client is given back, because whoever takes only
        # the first event of a generator (dag.test() does) never lets it come to its end.
        async with cluster.keeping_async_client() if cluster else nullcontext():
            events = [event async for event in super().run()]
        await not_in_haste(self, started=started)
        for event in events:
            yield event

    async def on_kill(self) -> None:
        """Delete the pod, unless the task is still deferred.

        Airflow kills a trigger also when it hands it to another triggerer after a missed heartbeat
        (apache/airflow#73454); the pod then belongs to that one.
        """
        if await self._still_deferred():
            self.log.info("Task is still deferred, another triggerer has it: leaving pod %s alone", self.pod_name)
            return
        async with (await self.hook.cluster()).keeping_async_client():
            await super().on_kill()

    async def _still_deferred(self) -> bool:
        try:
            return str(await self.get_task_state()) == "deferred"
        except Exception:
            self.log.exception("Cannot ask for the task's state; taking the kill at its word")
            return False


def _travelling(arguments: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if name not in WHEREABOUTS}
