"""Wait for node pools in the triggerer."""

from __future__ import annotations

import asyncio
import time
from abc import abstractmethod
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_multicluster.off_loop import off_loop
from airflow_multicluster.triggers.haste import not_in_haste
from multicluster.brackets.place import Place

if TYPE_CHECKING:
    from multicluster.brackets.gone import GoneLookout
    from multicluster.brackets.ready import ReadyLookout

SOON = 5.0
"""Seconds to a look that only confirms."""


class _LookoutTrigger(BaseTrigger):
    """Look every *poll_interval* seconds, until there is something to say or the *deadline* (epoch seconds) is over.

    Its arguments are all that is stored: numbers, and the *names* that its lookout is made of.
    """

    def __init__(self, *, poll_interval: float, deadline: float, **names: str | float) -> None:
        super().__init__()
        self.poll_interval = poll_interval
        self.deadline = deadline
        self._names: dict[str, Any] = names

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return class path and arguments."""
        arguments = {**self._names, "poll_interval": self.poll_interval, "deadline": self.deadline}
        return f"{type(self).__module__}.{type(self).__qualname__}", arguments

    @abstractmethod
    def lookout(self) -> ReadyLookout | GoneLookout:
        """Return what looks."""

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait, and tell each new finding in the log."""
        look, said, started = self.lookout().look, set[str](), time.monotonic()
        while True:
            finding = await off_loop(look)
            for line in finding.lines:
                if line not in said:
                    self.log.info("%s", line)
            said = set(finding.lines)
            if finding.settled:
                await not_in_haste(self, started=started)
                yield TriggerEvent(finding.to_event())
                return
            if time.time() >= self.deadline:
                yield TriggerEvent({"status": "done" if finding.enough else "timeout", "text": finding.text})
                return
            pause = min(self.poll_interval, SOON) if finding.soon else self.poll_interval
            await asyncio.sleep(min(pause, max(self.deadline - time.time(), 0)))


class NodePoolReadyTrigger(_LookoutTrigger):
    """Fire when pods can run on the pool's nodes, when that became impossible, or at the deadline."""

    def lookout(self) -> ReadyLookout:
        """Return what looks at the pool's nodes."""
        from airflow_multicluster.hooks.cluster import find_cluster
        from airflow_multicluster.lease_keeping import process_keeper
        from multicluster.brackets.ready import ReadyLookout

        names = dict(self._names)
        profile, nodes = names.pop("profile"), names.pop("nodes")
        return ReadyLookout(Place(**names), profile=profile, nodes=nodes, find=find_cluster, keeper=process_keeper())


class NodePoolGoneTrigger(_LookoutTrigger):
    """Fire when pool, machines and nodes are proven gone, when the cloud keeps refusing, or at the deadline."""

    def lookout(self) -> GoneLookout:
        """Return what looks for what is left of the pool."""
        from airflow_multicluster.hooks.cluster import find_cluster
        from airflow_multicluster.lease_keeping import process_keeper
        from multicluster.brackets.gone import GoneLookout

        names = dict(self._names)
        asks = names.pop("asks")
        return GoneLookout(Place(**names), asks=asks, find=find_cluster, keeper=process_keeper())
