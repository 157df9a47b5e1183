"""Keep what the clusters of one registry use in common: sessions and credentials."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")


class Shared:
    """Things made once per process and key; sessions and sockets do not survive a fork, so a child makes its own."""

    def __init__(self) -> None:
        self._made: dict[tuple[int, Hashable], Any] = {}
        self._locks: dict[tuple[int, Hashable], threading.Lock] = {}

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what *make* returned the first time for *key*; what is slow to make holds up its own key only.

        An error of *make* is raised and not remembered. *make* must not call ``once`` with the same key.
        """
        here = (os.getpid(), key)
        if here not in self._made:
            with self._locks.setdefault(here, threading.Lock()):
                if here not in self._made:
                    self._made[here] = make()
        made: T = self._made[here]
        return made
