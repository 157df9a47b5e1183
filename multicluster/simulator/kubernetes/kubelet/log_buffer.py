"""What a container has written, line by line, for reading and following."""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

_KEPT_BYTES = 10 * 2**20  # a kubelet rotates at 10 MiB
_LONGEST_LINE = 2**20


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line and when it was written. `data` ends with a newline except where the output ended without one."""

    moment: dt.datetime
    data: bytes


class LogBuffer:
    """A container's output. Lives on one event loop; the oldest lines beyond 10 MiB are dropped."""

    def __init__(self, now: Callable[[], dt.datetime]) -> None:
        self.closed = False
        self._now = now
        self._lines: deque[LogLine] = deque()
        self._dropped = 0
        self._size = 0
        self._rest = b""
        self._waiters: set[asyncio.Future[None]] = set()

    @property
    def end(self) -> int:
        """The position after the last line; positions count from the first line ever written."""
        return self._dropped + len(self._lines)

    def write(self, data: bytes) -> None:
        """Take output as it comes, in pieces of any size."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._append(line + b"\n")
        while len(self._rest) > _LONGEST_LINE:
            self._append(self._rest[:_LONGEST_LINE] + b"\n")
            self._rest = self._rest[_LONGEST_LINE:]
        if lines:
            self._notify()

    def close(self) -> None:
        """Say that nothing more will come. Followers read to the end and stop."""
        if self._rest:
            self._append(self._rest)
            self._rest = b""
        self.closed = True
        self._notify()

    def since(self, position: int) -> list[LogLine]:
        """Return the lines from a position on."""
        return list(itertools.islice(self._lines, max(0, position - self._dropped), None))

    def tail(self, lines: int) -> int:
        """Return the position from which the last so many lines follow."""
        return max(self._dropped, self.end - lines)

    async def grown(self, position: int) -> None:
        """Return once there are lines from a position on, or the buffer is closed."""
        while self.end <= position and not self.closed:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.add(waiter)
            try:
                await waiter
            finally:
                self._waiters.discard(waiter)

    def _append(self, data: bytes) -> None:
        self._lines.append(LogLine(self._now(), data))
        self._size += len(data)
        while self._size > _KEPT_BYTES:
            self._size -= len(self._lines.popleft().data)
            self._dropped += 1

    def _notify(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
