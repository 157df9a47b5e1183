"""Find what others already have: one of a kind for each event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")


class PerLoop(Generic[T]):
    """What is shared within an event loop, by key. A forked child has loops of its own, and so shares nothing."""

    def __init__(self) -> None:
        self._of_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Hashable, T]] = WeakKeyDictionary()
        self._turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()

    def get(self, key: Hashable, make: Callable[[Callable[[], None]], T]) -> T:
        """Return the running loop's one, made now if there is none; *make* gets what to call when it is over."""
        for loop in [loop for loop in self._of_loops if loop.is_closed()]:
            del self._of_loops[loop]
        shared = self._of_loops.setdefault(asyncio.get_running_loop(), {})
        if key not in shared:
            shared[key] = make(lambda: _drop(shared, key))
        return shared[key]

    def turn(self) -> asyncio.Lock:
        """Return the running loop's lock for work of a millisecond: those who wait for it run in different turns."""
        return self._turns.setdefault(asyncio.get_running_loop(), asyncio.Lock())

    def __len__(self) -> int:
        return sum(map(len, self._of_loops.values()))


def _drop(shared: dict[Hashable, T], key: Hashable) -> None:
    shared.pop(key, None)
