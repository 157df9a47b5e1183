"""The world's time: one clock handed to everything that waits or stamps."""

from __future__ import annotations

import asyncio
import datetime as dt
import heapq
import itertools
import threading
from dataclasses import dataclass, field
from typing import Protocol

_EPOCH = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


class Clock(Protocol):
    """What tells the time and lets time pass."""

    def now(self) -> dt.datetime:
        """Return the present moment, aware, in UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return once `seconds` of this clock have passed; at once (after one turn of the loop) for 0 or less."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> dt.datetime:
        """Return the machine's time in UTC."""
        return dt.datetime.now(dt.UTC)

    async def sleep(self, seconds: float) -> None:
        """Sleep on the running event loop."""
        await asyncio.sleep(max(0.0, seconds))


@dataclass(order=True)
class _Sleeper:
    wakes: dt.datetime
    order: int
    loop: asyncio.AbstractEventLoop = field(compare=False)
    future: asyncio.Future[None] = field(compare=False)


class ManualClock:
    """A clock that stands still until somebody advances it. Safe to use from several threads and loops."""

    def __init__(self, start: dt.datetime = _EPOCH) -> None:
        self._now = start
        self._order = itertools.count()
        self._sleepers: list[_Sleeper] = []
        self._lock = threading.Condition()

    def now(self) -> dt.datetime:
        """Return the moment the clock was last advanced to."""
        with self._lock:
            return self._now

    @property
    def sleepers(self) -> int:
        """How many tasks are asleep on this clock now."""
        with self._lock:
            return self._count()

    def wait_for_sleepers(self, count: int, *, timeout: float = 5.0) -> None:
        """Block until at least `count` tasks sleep. Raises TimeoutError after `timeout` real seconds."""
        with self._lock:
            if not self._lock.wait_for(lambda: self._count() >= count, timeout):
                raise TimeoutError(f"{self._count()} of {count} tasks sleep after {timeout:g} s")

    async def sleep(self, seconds: float) -> None:
        """Sleep until the clock has been advanced by `seconds`."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        with self._lock:
            wakes = self._now + dt.timedelta(seconds=seconds)
            heapq.heappush(self._sleepers, _Sleeper(wakes, next(self._order), loop, future))
            self._lock.notify_all()
        await future

    def advance(self, seconds: float) -> None:
        """Move the clock on, waking sleepers in the order of their deadlines.

        Called from a thread that runs none of the sleepers' loops, it stops at every deadline and lets the woken
        tasks run, so that a task sleeping ten times 1 s sees ten moments. Called from a sleeper's own loop it
        cannot wait for that loop: it wakes whoever is due and goes on.
        """
        with self._lock:
            target = self._now + dt.timedelta(seconds=seconds)
        while (loop := self._wake_next(target)) is not None:
            _let_run(loop)
        with self._lock:
            self._now = max(self._now, target)

    def _count(self) -> int:
        return sum(not sleeper.future.done() for sleeper in self._sleepers)

    def _wake_next(self, target: dt.datetime) -> asyncio.AbstractEventLoop | None:
        with self._lock:
            if not self._sleepers or self._sleepers[0].wakes > target:
                return None
            sleeper = heapq.heappop(self._sleepers)
            self._now = max(self._now, sleeper.wakes)
        if sleeper.loop.is_closed():
            return sleeper.loop
        sleeper.loop.call_soon_threadsafe(_wake, sleeper.future)
        return sleeper.loop


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _let_run(loop: asyncio.AbstractEventLoop, turns: int = 10) -> None:
    """Wait until a loop of another thread has taken some turns, so that woken tasks reach their next wait."""
    try:
        running = asyncio.get_running_loop()
    except RuntimeError:
        running = None
    if running is not None or loop.is_closed() or not loop.is_running():
        return
    for _ in range(turns):
        turned = threading.Event()
        loop.call_soon_threadsafe(turned.set)
        if not turned.wait(5):
            return
