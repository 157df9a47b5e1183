"""Carry out orders one after the other for each node, and all nodes at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from multicluster.simulator.fleet import NodeError

logger = logging.getLogger(__name__)
Work = Callable[[], Awaitable[object]]


class Orders:
    """A queue for each name. Work raises NodeError or nothing. Lives on the world's loop."""

    def __init__(self) -> None:
        self._last: dict[str, asyncio.Task[NodeError | None]] = {}
        self._stopped = False

    def give(self, name: str, work: Work) -> None:
        """Queue work; it is done also when the work before it failed."""
        if not self._stopped:
            self._last[name] = asyncio.ensure_future(self._do(name, self._last.get(name), work))

    async def settled(self, name: str) -> None:
        """Wait until nothing is queued for a name, and raise what the last piece of work raised, once."""
        while (task := self._last.get(name)) is not None:
            await asyncio.wait([task])
            if self._last.get(name) is task:
                del self._last[name]
                if (failure := task.result()) is not None:
                    raise failure

    async def stop(self) -> None:
        """Begin nothing more, and wait for the work that was begun."""
        self._stopped = True
        await asyncio.gather(*self._last.values())

    async def _do(self, name: str, before: asyncio.Task[NodeError | None] | None, work: Work) -> NodeError | None:
        if before is not None:
            await asyncio.wait([before])
        if not self._stopped:
            try:
                await work()
            except NodeError as failure:
                logger.warning("%s: %s", name, failure)
                return failure
        return None
