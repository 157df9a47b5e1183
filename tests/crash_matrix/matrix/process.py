"""Processes that may die at any moment: each a greenlet that waits for virtual time or for an answer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from greenlet import getcurrent, greenlet

from matrix.virtual_time import VirtualTime


class KilledError(BaseException):
    """What a process feels of ``kill -9``: nothing of its own runs any more, and whatever it asks for is not done."""


class Process:
    """One process of a machine. ``skew`` is what its clock is wrong by, in seconds."""

    def __init__(self, name: str, time: VirtualTime, body: Callable[[], Any], *, skew: float = 0.0) -> None:
        self.name = name
        self.time = time
        self.skew = skew
        self.dead = False
        self.calls = 0
        self.dies_at_call: tuple[int | str, str] | None = None
        """The number of a call, or its name, and the moment at it: ``before`` or ``after`` its effect."""
        self.pauses_at_call: tuple[int, float] | None = None
        """The number of a call before which it stands still, and for how many seconds."""
        self.stands_still: Callable[[float], None] = lambda _seconds: None
        """Told when it begins to stand still, and for how long."""
        self.ended: list[Callable[[Process], None]] = []
        self.result: Any = None
        self.error: BaseException | None = None
        self._body = body
        self._greenlet = greenlet(self._run)
        self._greenlet.process = self
        self._turn = 0

    def start(self) -> None:
        """Begin; returns at its first wait."""
        self._switch(self._turn)

    def clock(self) -> dt.datetime:
        """Tell the time as its machine does."""
        return dt.datetime.fromtimestamp(self.time.seconds + self.skew, dt.UTC)

    def sleep(self, seconds: float) -> None:
        """Wait, as this process only."""
        self.refuse_if_dead()
        turn = self._turn
        self.time.after(seconds, lambda: self._switch(turn))
        self._wait()

    def wait_for(self, future: Any, timeout: float) -> bool:
        """Wait until the future of a cloud's task is done, or the time is over; whether it is done."""
        self.refuse_if_dead()
        turn = self._turn
        future.add_done_callback(lambda _: self.time.after(0, lambda: self._switch(turn)))
        self.time.after(timeout, lambda: self._switch(turn))
        self._wait()
        return bool(future.done())

    def refuse_if_dead(self) -> None:
        """Raise for ever in a process that was killed."""
        if self.dead:
            raise KilledError(self.name)

    def kill(self) -> None:
        """End it at once, wherever it is; one that has ended stays as it is."""
        if self.dead or self._greenlet.dead:
            return
        self.dead = True
        if getcurrent() is self._greenlet:
            raise KilledError(self.name)
        self._turn += 1
        self._greenlet.parent = getcurrent()
        self._greenlet.throw(KilledError(self.name))

    @property
    def over(self) -> bool:
        """Whether it has ended, by itself or not."""
        return bool(self._greenlet.dead)

    def _wait(self) -> None:
        self._greenlet.parent.switch()
        self.refuse_if_dead()

    def _switch(self, turn: int) -> None:
        """Go on, unless it has gone on meanwhile for another reason."""
        if turn != self._turn or self._greenlet.dead:
            return
        self._turn += 1
        self._greenlet.parent = getcurrent()
        self._greenlet.switch()

    def _run(self) -> None:
        try:
            self.result = self._body()
        except BaseException as error:  # noqa: BLE001 - whoever started it looks at how it ended
            self.error = error.with_traceback(None) if isinstance(error, KilledError) else error
        self._body = None
        if self.dead:
            self.error = KilledError(self.name)
        for tell in self.ended:
            tell(self)


def current() -> Process | None:
    """Return the process that runs now; None in the middle of a cloud's or the world's own doings."""
    return getattr(getcurrent(), "process", None)
