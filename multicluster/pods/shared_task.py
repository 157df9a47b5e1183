"""Run one task for all who need it at the moment, and a while longer."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any


class SharedTask:
    """Starts *work* for the first who holds it and dismisses it *linger* seconds after the last.

    Belongs to one event loop; when that ends, asyncio cancels the task like any other. *ended* is called when the task
    is over: with its error, with a CancelledError when somebody else cancelled it, or with None when it was dismissed.
    """

    def __init__(
        self,
        work: Callable[[], Coroutine[Any, Any, None]],
        *,
        linger: float,
        ended: Callable[[BaseException | None], None],
    ) -> None:
        self._work = work
        self._linger = linger
        self._ended = ended
        self._holders = 0
        self._dismissed = False
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep the task running for the block."""
        self._holders += 1
        self._stay()
        if self._task is None:
            self._start()
        try:
            yield
        finally:
            self._holders -= 1
            if not self._holders and self._task is not None:
                self._timer = asyncio.get_running_loop().call_later(self._linger, self._dismiss)

    def _start(self) -> None:
        # In a context of its own: it works for all, and must not write into the log of whoever came first.
        self._dismissed = False
        self._task = asyncio.get_running_loop().create_task(self._work(), context=contextvars.Context())
        self._task.add_done_callback(self._over)

    def _stay(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _dismiss(self) -> None:
        if self._task is not None:
            self._dismissed = True
            self._task.cancel()

    def _over(self, task: asyncio.Task[None]) -> None:
        self._stay()
        self._task = None
        if self._dismissed and self._holders:
            self._start()  # somebody came while it was leaving
        elif self._dismissed:
            self._ended(None)
        else:
            self._ended(asyncio.CancelledError() if task.cancelled() else task.exception())
