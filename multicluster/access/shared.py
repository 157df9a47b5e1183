"""Keep what the clusters of one registry use in common: sessions and credentials."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from multicluster.access.single_flight import PerProcessLock

T = TypeVar("T")


class Shared:
    """Things made once per process and key; sessions and sockets do not survive a fork, so a child makes its own."""

    def __init__(self) -> None:
        self._made: dict[tuple[int, Hashable], Any] = {}
        self._lock = PerProcessLock()

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what *make* returned the first time for *key*; makes one thing at a time.

        An error of *make* is raised and not remembered. *make* must not call ``once`` itself.
        """
        key = (os.getpid(), key)
        if key not in self._made:
            with self._lock:
                if key not in self._made:
                    self._made[key] = make()
        made: T = self._made[key]
        return made
