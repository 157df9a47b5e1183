"""Wait for node pools in the triggerer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_multicluster.off_loop import off_loop
from airflow_multicluster.triggers.haste import not_in_haste

if TYPE_CHECKING:
    from airflow_multicluster.watches.finding import Finding

SOON = 5.0
"""Seconds to a look that only confirms."""


class _Waiting(BaseTrigger):
    """A trigger that is its arguments: what it is given is what is stored, names and numbers."""

    def __init__(self, **arguments: str | float) -> None:
        super().__init__()
        self._arguments = arguments

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return class path and arguments."""
        return f"{type(self).__module__}.{type(self).__qualname__}", dict(self._arguments)

    async def _until_settled(
        self, look: Callable[[], Finding], *, poll_interval: float, deadline: float
    ) -> TriggerEvent:
        said, started = "", time.monotonic()
        while True:
            finding = await off_loop(look)
            if finding.text != said:
                self.log.info("%s", finding.text)
                said = finding.text
            if finding.settled:
                await not_in_haste(self, started=started)
                return TriggerEvent(finding.to_event())
            if time.time() >= deadline:
                return TriggerEvent({"status": "timeout", "text": finding.text})
            pause = min(poll_interval, SOON) if finding.soon else poll_interval
            await asyncio.sleep(min(pause, max(deadline - time.time(), 0)))


class NodePoolReadyTrigger(_Waiting):
    """Fire when pods can run on the pool's nodes, when that became impossible, or at the deadline (epoch seconds)."""

    def __init__(
        self, *, cluster: str, pool: str, profile: str, nodes: int, poll_interval: float, deadline: float
    ) -> None:
        super().__init__(
            cluster=cluster, pool=pool, profile=profile, nodes=nodes, poll_interval=poll_interval, deadline=deadline
        )
        self.poll_interval = poll_interval
        self.deadline = deadline

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look until there is something to say."""
        from airflow_multicluster.watches.ready import ReadyWatch

        names = {name: self._arguments[name] for name in ("cluster", "pool", "profile", "nodes")}
        watch = ReadyWatch(**names)  # type: ignore[arg-type]
        yield await self._until_settled(watch.look, poll_interval=self.poll_interval, deadline=self.deadline)


class NodePoolGoneTrigger(_Waiting):
    """Fire when pool, machines and nodes are proven gone, when the cloud keeps refusing, or at the deadline."""

    def __init__(
        self,
        *,
        cluster: str,
        pool: str,
        owner: str,
        address: str,
        sure: bool,
        asks: int,
        poll_interval: float,
        deadline: float,
    ) -> None:
        super().__init__(
            cluster=cluster,
            pool=pool,
            owner=owner,
            address=address,
            sure=sure,
            asks=asks,
            poll_interval=poll_interval,
            deadline=deadline,
        )
        self.poll_interval = poll_interval
        self.deadline = deadline

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look until there is something to say."""
        from airflow_multicluster.watches.gone import GoneWatch

        names = {name: self._arguments[name] for name in ("cluster", "pool", "owner", "address", "sure", "asks")}
        watch = GoneWatch(**names)  # type: ignore[arg-type]
        yield await self._until_settled(watch.look, poll_interval=self.poll_interval, deadline=self.deadline)


class AskAgainTrigger(_Waiting):
    """Fire after *seconds*: the cloud was busy, the task asks again. *asked* counts the asking so far."""

    def __init__(self, *, seconds: float, asked: int) -> None:
        super().__init__(seconds=seconds, asked=asked)
        self.seconds = seconds
        self.asked = asked

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Let the time pass."""
        started = time.monotonic()
        await asyncio.sleep(self.seconds)
        await not_in_haste(self, started=started)
        yield TriggerEvent({"asked": self.asked})
