"""Let many callers share one run of a slow function."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Generic, TypeVar

T = TypeVar("T")


class PerProcessLock:
    """A lock that a forked child gets anew, so that it never waits for a thread that it does not have."""

    def __init__(self) -> None:
        self._locks: dict[int, threading.Lock] = {}

    def __enter__(self) -> None:
        self._locks.setdefault(os.getpid(), threading.Lock()).acquire()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._locks[os.getpid()].release()


class SingleFlight(Generic[T]):
    """Run a function once for all callers who ask while it runs; they share its result or its error.

    A run that a signal interrupted (KeyboardInterrupt, Airflow's time-out of a task) counts for nobody else.
    """

    def __init__(self, run: Callable[[], T]) -> None:
        self._run = run
        self._lock = PerProcessLock()
        self._runs = 0
        self._result: T
        self._error: Exception | None = None

    def __call__(self) -> T:
        """Join the run under way, or start one. Blocks until it has ended."""
        seen = self._runs
        with self._lock:
            if self._runs == seen:
                self._fly()
            if self._error is not None:
                raise self._error
            return self._result

    def _fly(self) -> None:
        try:
            self._result = self._run()
            self._error = None
        except Exception as error:  # noqa: BLE001  whatever it is, those who wait for it get it too
            self._error = error
        self._runs += 1
