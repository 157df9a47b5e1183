"""Pay attention to what a trigger's hook reads of its pod, while the pod starts and at its end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from airflow.providers.cncf.kubernetes.kubernetes_helper_functions import PodLaunchFailedException
from airflow.providers.cncf.kubernetes.utils.pod_manager import PodLaunchTimeoutException
from airflow.triggers.base import TriggerEvent

from airflow_multicluster.documents import document_of
from airflow_multicluster.hooks.cluster import AsyncClusterHook
from airflow_multicluster.off_loop import off_loop
from airflow_multicluster.start_facts import GOOD_SECONDS, Enquiry, StartFacts
from airflow_multicluster.start_told import StartTold
from multicluster.pods.loss import loss, lost_after_its_work
from multicluster.pods.per_loop import PerLoop

if TYPE_CHECKING:
    from multicluster import Cluster

EVENTS_TIMEOUT = 10
"""Seconds to ask for the events of a pod that did not start."""


class AttentiveHook(AsyncClusterHook):
    """The hook of one trigger: it knows how the pod was last seen, and lets somebody hear what it reads."""

    seen: Any = None
    listener: StartListener | None = None

    async def get_pod(self, name: str, namespace: str) -> Any:
        """Return the pod."""
        self.seen = await super().get_pod(name, namespace)
        if self.listener is not None:
            self.listener.see(self.seen)
        return self.seen

    async def delete_pod(self, name: str, namespace: str, grace_period_seconds: int | None = None) -> None:
        """Delete the pod, for as long as the triggerer leaves time for it."""
        from airflow_multicluster.triggers.killed import delete_in_time

        await delete_in_time(self, name, namespace, grace_period_seconds)

    async def watch_pod_events(self, *args: Any, **kwargs: Any) -> AsyncGenerator[Any, None]:
        """Yield the pod's events."""
        async with contextlib.aclosing(super().watch_pod_events(*args, **kwargs)) as events:
            async for event in events:
                if event and self.listener is not None:
                    self.listener.hear(event)
                yield event


class StartListener:
    """Says in the trigger's log why its pod does not start."""

    def __init__(self, hook: AttentiveHook, *, log: Any, base: str) -> None:
        self._hook = hook
        self._log = log
        self._told = StartTold(log, base=base)
        self._news = asyncio.Event()
        self._facts: StartFacts | None = None

    @property
    def last_word(self) -> str:
        """Why the pod never started; empty where it did, or nothing is known."""
        return self._told.last_word

    def see(self, pod: Any) -> None:
        """Take note of the pod."""
        self._told.see(pod)
        self._news.set()

    def hear(self, event: Any) -> None:
        """Take note of an event."""
        self._told.hear(event)
        self._news.set()

    @contextlib.asynccontextmanager
    async def listening(self, name: str, namespace: str, *, to_events: bool) -> AsyncIterator[None]:
        """Listen during the block; where its events are not heard, ask for them when it fails."""
        explaining = asyncio.create_task(self._explain(name, namespace))
        self._hook.listener = self
        try:
            yield
        except (PodLaunchFailedException, PodLaunchTimeoutException):  # of others the API server is no witness
            if not to_events or self._told.in_doubt:
                await self._read_events(name, namespace)
            raise
        finally:
            self._hook.listener = None
            explaining.cancel()
            await asyncio.wait([explaining])
            self._told.judge(self._facts)

    async def _explain(self, name: str, namespace: str) -> None:
        while True:
            again = GOOD_SECONDS if self._facts is not None and self._facts.pool and self._told.unscheduled else None
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(again or self._told.events_wanted_in()):
                    await self._news.wait()  # wait_for() of Python 3.11 may lose a cancellation
            self._news.clear()
            if self._told.wants_events():
                await self._read_events(name, namespace)
            if self._told.unscheduled:
                self._facts = await shared_facts(await self._hook.cluster()).ask(self._told.pod)
            self._told.judge(self._facts)

    async def _read_events(self, name: str, namespace: str) -> None:
        try:
            async with asyncio.timeout(EVENTS_TIMEOUT):
                events = await self._hook.get_pod_events(name, namespace)
        except Exception as error:  # noqa: BLE001 - another error is on its way, and is the one to be told
            self._log.info("The events of pod %s cannot be read: %s", name, error)
            return
        for event in events.items:
            self._told.hear(event)


class SharedFacts:
    """What the triggers of an event loop ask about one cluster, one at a time."""

    def __init__(self, cluster: Cluster) -> None:
        self._enquiry = Enquiry(cluster)
        self._turn = asyncio.Semaphore(1)

    async def ask(self, pod: dict[str, Any]) -> StartFacts:
        """Return what is known; asked for off the loop."""
        async with self._turn:
            return await off_loop(self._enquiry.ask, pod)


_SHARED: PerLoop[SharedFacts] = PerLoop()


def shared_facts(cluster: Cluster) -> SharedFacts:
    """Return what this event loop shares."""
    return _SHARED.get(cluster, lambda _: SharedFacts(cluster))


def with_evidence(
    event: TriggerEvent, hook: AttentiveHook, listener: StartListener | None, *, base: str
) -> TriggerEvent:
    """Add to an event that tells of no success what was seen of the pod: why it never started, what it was lost to."""
    if event.payload["status"] == "success":
        return event
    seen = document_of(hook.seen) if hook.seen else None
    if event.payload["status"] == "failed" and lost_after_its_work(seen, base=base):
        return TriggerEvent({**event.payload, "status": "success"})
    found = loss(seen, base=base)
    why = listener.last_word if listener else ""
    evidence = {"_loss": asdict(found) if found else None, "_why": why}
    return TriggerEvent({**event.payload, **{key: value for key, value in evidence.items() if value}})
