"""Find the watch that others already have: one for each event loop, cluster and namespace."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from weakref import WeakKeyDictionary

from multicluster.pods.watch import PodWatch

Make = Callable[[Callable[[], None]], PodWatch]
"""Makes a watch, which calls what it is given when it has ended."""


class PodWatches:
    """The watches of this process. A forked child has loops of its own, and so watches of its own."""

    def __init__(self) -> None:
        self._of_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Hashable, PodWatch]] = WeakKeyDictionary()
        self._turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()

    def watch(self, key: Hashable, make: Make) -> PodWatch:
        """Return the running loop's watch of that key, made now if there is none."""
        for loop in [loop for loop in self._of_loops if loop.is_closed()]:
            del self._of_loops[loop]
        watches = self._of_loops.setdefault(asyncio.get_running_loop(), {})
        if key not in watches:
            watches[key] = make(lambda: _drop(watches, key))
        return watches[key]

    def turn(self) -> asyncio.Lock:
        """Return the running loop's lock for work of a millisecond: those who wait for it run in different turns."""
        return self._turns.setdefault(asyncio.get_running_loop(), asyncio.Lock())

    def __len__(self) -> int:
        return sum(map(len, self._of_loops.values()))


def _drop(watches: dict[Hashable, PodWatch], key: Hashable) -> None:
    watches.pop(key, None)
