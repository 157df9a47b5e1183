"""Decide how soon to ask again after trouble, and when to give up."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Timing:
    """How a shared watch spends its time, in seconds."""

    watch: float = 300
    """How long one watch request is asked to last."""
    silence: float = 90
    """After so long without a byte the connection counts as dead: API servers send a bookmark each minute."""
    relist: float = 600
    """How often everything is listed again, in case that a change was missed."""
    first_delay: float = 0.5
    most_delay: float = 15
    give_up: float = 300
    """How long an API server may give no good answer before those who wait are told so."""
    forbidden: float = 600
    """How long to go without a watch that is not allowed, before asking again."""
    linger: float = 15
    """How long the watch stays after the last one who waited has left."""


class Pace:
    """The delays of one watch: they double from trouble to trouble, and each is drawn, so that clients spread out."""

    def __init__(self, timing: Timing, *, clock: Callable[[], float], chance: random.Random) -> None:
        self._timing = timing
        self._clock = clock
        self._chance = chance
        self._next = timing.first_delay
        self._answered_at = clock()

    def answered(self) -> None:
        """Note that the server gave a good answer."""
        self._answered_at = self._clock()

    def calm(self) -> None:
        """Note that all went well for a while: the next trouble is answered quickly again."""
        self.answered()
        self._next = self._timing.first_delay

    def delay(self, retry_after: float = 0) -> float:
        """Return how many seconds to wait now, at least what the server wished, but no longer than it is waited for."""
        limit, self._next = self._next, min(2 * self._next, self._timing.most_delay)
        return max(self._chance.uniform(0, limit), min(retry_after, self._timing.give_up))

    @property
    def unanswered(self) -> float:
        """Seconds since the last good answer."""
        return self._clock() - self._answered_at

    @property
    def exhausted(self) -> bool:
        """Whether it is time to give up."""
        return self.unanswered >= self._timing.give_up

    def spread(self, seconds: float) -> float:
        """Return about so many seconds, a fifth more or less."""
        return seconds * self._chance.uniform(0.8, 1.2)
