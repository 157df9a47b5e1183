"""Let time pass when it is told to: for the clouds' tasks, which are coroutines, and for whoever else waits."""

from __future__ import annotations

import asyncio
import datetime as dt
import heapq
from collections import deque
from collections.abc import Callable
from typing import Any

START = 1_800_000_000.0
"""Epoch seconds at which every world begins: 2027-01-15, 08:00 UTC."""


class Loop(asyncio.AbstractEventLoop):
    """As much of an event loop as the simulator's clouds use: no sockets, no timers, no thread of its own."""

    def __init__(self) -> None:
        self._ready: deque[asyncio.Handle] = deque()
        self.errors: list[str] = []

    def turn(self) -> None:
        """Run whatever can run, until nothing can."""
        asyncio._set_running_loop(self)
        try:
            while self._ready:
                handle = self._ready.popleft()
                if not handle.cancelled():
                    handle._run()
        finally:
            asyncio._set_running_loop(None)

    def call_soon(self, callback: Callable[..., Any], *args: Any, context: Any = None) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, *, name: str | None = None, context: Any = None) -> asyncio.Task[Any]:
        return asyncio.Task(coro, loop=self, name=name or "task", context=context)

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Keep what went wrong in a cloud's task; that a world ends while some wait is nothing wrong."""
        error = context.get("exception")
        if error is not None:
            self.errors.append(f"{context.get('message')}: {error!r}")


class VirtualTime:
    """The one clock of a scenario: the simulator's ``Clock``, and the ``clock`` of our own code."""

    def __init__(self) -> None:
        self.loop = Loop()
        self.seconds = START
        self._order = 0
        self._waiting: list[tuple[float, int, Callable[[], None]]] = []

    def __call__(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(self.seconds, dt.UTC)

    now = __call__

    async def sleep(self, seconds: float) -> None:
        """Sleep as a task of the clouds."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = self.loop.create_future()
        self.after(seconds, lambda: woken.cancelled() or woken.set_result(None))
        await woken

    def after(self, seconds: float, callback: Callable[[], Any]) -> None:
        """Call back once so many seconds have passed; those that are due together in the order they were asked for."""
        self._order += 1
        heapq.heappush(self._waiting, (self.seconds + max(0.0, seconds), self._order, callback))

    def step(self, end: float) -> bool:
        """Go on to the next thing that is due before *end*, and let it happen; False when there is none."""
        if not self._waiting or self._waiting[0][0] > end:
            self.seconds = max(self.seconds, end)
            return False
        self.seconds, _, callback = heapq.heappop(self._waiting)
        callback()
        self.loop.turn()
        return True
