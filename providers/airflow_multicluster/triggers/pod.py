"""Wait for a pod of a named cluster in the triggerer."""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.cncf.kubernetes.triggers.pod import KubernetesPodTrigger
from airflow.triggers.base import TriggerEvent

from airflow_multicluster.lease_keeping import lease_kept_for
from airflow_multicluster.triggers.attention import AttentiveHook, StartListener, with_evidence
from airflow_multicluster.triggers.haste import not_in_haste
from airflow_multicluster.triggers.looks import LookingPodManager, Looks
from multicluster.errors import MulticlusterError

if TYPE_CHECKING:
    from multicluster.pods.watch import WatchedPod

WHEREABOUTS = frozenset({"config_dict", "connection_extras", "cluster_context", "in_cluster", "kubernetes_conn_id"})
"""Arguments of the stock trigger by which a kubeconfig travels into the database; ours has a name instead."""


QUIET_SECONDS = 30.0
"""How often a trigger looks at a pod that does not change, at the least; a change wakes it at once."""


class ClusterPodTrigger(KubernetesPodTrigger):
    """The stock trigger, reaching its pod by the cluster's name, and woken by the pod's changes instead of polling.

    Its logic is the stock one: only the pauses between its looks are ours, and what it looks at is kept up to date by
    one watch for all triggers of a namespace. ``poll_interval`` is the pace where that is not allowed.

    :param cluster: the cluster's name in the registry; resolved with the triggerer's own identity.
    :param node_pool: the pool whose lease is kept meanwhile, for its *owner*; empty where there is none to keep.
    """

    def __init__(self, *, cluster: str, node_pool: str = "", owner: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cluster = cluster
        self.leased = {"node_pool": node_pool, "owner": owner} if node_pool else {}
        self._intervals = {"poll_interval": self.poll_interval, "startup_check_interval": self.startup_check_interval}
        self._pod: WatchedPod | None = None
        self._looks: Looks | None = None
        self._listener: StartListener | None = None

    @classmethod
    def instead_of(cls, stock: KubernetesPodTrigger, **names: str) -> ClusterPodTrigger:
        """Return the trigger that waits as *stock* does, without what is only true on the worker."""
        return cls(**names, **_travelling(stock.serialize()[1]))

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return class path and arguments: names, numbers, times and what the user put into trigger_kwargs."""
        names = {"cluster": self.cluster, **self.leased}
        arguments = {**_travelling(super().serialize()[1]), **self._intervals, **names}
        return f"{ClusterPodTrigger.__module__}.{ClusterPodTrigger.__qualname__}", arguments

    @cached_property
    def hook(self) -> AttentiveHook:
        """Reach the cluster; shared by the stock trigger's pod manager."""
        return AttentiveHook(self.cluster)

    @cached_property
    def pod_manager(self) -> LookingPodManager:
        """Look when there is something to see."""
        return LookingPodManager(async_hook=self.hook)

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait as the stock trigger does; all triggers of a namespace share one watch while any of them runs."""
        started = time.monotonic()
        try:
            await self.hook.cluster()
            waiting: AbstractAsyncContextManager[WatchedPod | None] = self.hook.waiting_for(
                self.pod_name, self.pod_namespace
            )
        except MulticlusterError:
            waiting = nullcontext()  # the stock trigger meets the same error, and tells it in its event
        # The stock trigger has one event; it is handed on after the watch is given back, because whoever takes only
        # the first event of a generator (dag.test() does) never lets it come to its end.
        async with lease_kept_for(self.cluster, log=self.log, **self.leased), waiting as self._pod:
            events = [event async for event in super().run()]
        await not_in_haste(self, started=started)
        for event in events:
            yield with_evidence(event, self.hook, self._listener, base=self.base_container_name)

    async def _wait_for_pod_start(self) -> Any:
        self._listener = StartListener(self.hook, log=self.log, base=self.base_container_name)
        async with self._listener.listening(self.pod_name, self.pod_namespace, to_events=self.log_events_on_startup):
            return await self._see_it_start()

    async def _see_it_start(self) -> Any:
        with self._woken("startup_check_interval", within=lambda: self._intervals["startup_check_interval"]) as looks:
            self.pod_manager.looks = looks
            self.pod_manager.events_interval = self._intervals["startup_check_interval"]
            return await super()._wait_for_pod_start()

    async def _wait_for_container_completion(self) -> TriggerEvent:
        with self._woken("poll_interval", within=self._patience) as self._looks:
            return await super()._wait_for_container_completion()

    async def _get_pod(self) -> Any:
        if self._looks is not None:
            await self._looks.next()
        return await super()._get_pod()

    @contextmanager
    def _woken(self, interval: str, *, within: Callable[[], float]) -> Iterator[Looks | None]:
        """Let the stock loop pause before it looks, until there is news, in the place of its own pause afterwards."""
        if self._pod is None:
            yield None
            return
        setattr(self, interval, 0)
        try:
            yield Looks(self._pod, within=within, interval=self._intervals[interval])
        finally:
            setattr(self, interval, self._intervals[interval])

    def _patience(self) -> float:
        """Return how long to look away from a running pod: no longer than until something else is to be done."""
        quiet = QUIET_SECONDS * random.uniform(0.5, 1)  # noqa: S311 - so that triggers that began together drift apart
        pause = quiet if self.logging_interval is None else self._intervals["poll_interval"]
        deadline = self.trigger_kwargs.get("_execution_deadline")
        return pause if deadline is None else max(min(pause, deadline - time.time()), 0)

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
