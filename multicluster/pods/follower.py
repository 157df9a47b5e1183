"""Follow a collection: a list, then every change, through whatever befalls API servers and connections."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from contextlib import aclosing
from typing import NoReturn, Protocol

from multicluster.pods.pace import Pace, Timing
from multicluster.pods.source import (
    BOOKMARK,
    BrokenOffError,
    Change,
    Document,
    HistoryGoneError,
    NotAllowedError,
    Source,
)

log = logging.getLogger(__name__)
PAGE = 100
"""Items of a list asked for at once: their JSON holds up the event loop for some milliseconds."""
SLICE = 0.001
"""Seconds that may be spent on changes before others get their turn."""


class Sink(Protocol):
    """Who is told of the collection."""

    def begin(self) -> None:
        """A list begins."""
        ...

    def show(self, items: Iterable[Document]) -> None:
        """Take a page of it."""
        ...

    def end(self, version: str) -> None:
        """It is complete, as of *version*; the changes that follow are newer."""
        ...

    def change(self, change: Change) -> None:
        """Take a change."""
        ...

    def forbid(self, reason: str) -> None:
        """Nothing will be told until the next list begins: the server does not allow it."""
        ...

    def wake(self) -> None:
        """Nothing will be told any more: let everybody look why."""
        ...


class Follower:
    """Follows one source for one sink. *name* is for the log; not *whole*, a list is asked for its version only."""

    def __init__(
        self,
        source: Source,
        sink: Sink,
        *,
        name: str,
        timing: Timing,
        pace: Pace,
        clock: Callable[[], float] = time.monotonic,
        whole: bool = True,
    ) -> None:
        self._source = source
        self._sink = sink
        self._name = name
        self._timing = timing
        self._pace = pace
        self._clock = clock
        self._whole = whole
        self._version = ""
        self._relist_at = 0.0

    async def run(self) -> NoReturn:
        """Follow for ever; raises the last error when the server gave no good answer for too long."""
        while True:
            try:
                await self._follow()
            except NotAllowedError as error:
                log.warning("%s: may not list and watch them, so they are asked for one by one: %s", self._name, error)
                self._version = ""
                self._sink.forbid(str(error))
                self._pace.calm()
                await asyncio.sleep(self._pace.spread(self._timing.forbidden))
            except (BrokenOffError, HistoryGoneError) as error:
                if isinstance(error, HistoryGoneError):
                    self._version = ""
                if self._pace.exhausted:
                    raise
                delay = self._pace.delay(error.retry_after)
                log.info("%s: %s; asking again in %.1f s", self._name, error, delay)
                await asyncio.sleep(delay)

    async def _follow(self) -> None:
        """List where that is due, then watch until the server ends it, as it does from time to time."""
        if not self._version or self._clock() + self._timing.most_delay >= self._relist_at:
            self._version = await self._list()
        began = self._clock()
        try:
            await self._watch()
        finally:
            calm = self._clock() - began >= self._timing.most_delay
            if calm:
                self._pace.calm()
        if not calm:
            raise HistoryGoneError("the watch ended at once")

    async def _list(self) -> str:
        self._sink.begin()
        page = await self._source.page(size=PAGE if self._whole else 1)
        self._sink.show(page.items)
        while page.rest and self._whole:
            await asyncio.sleep(0)
            page = await self._source.page(size=PAGE, rest=page.rest)
            self._sink.show(page.items)
        self._sink.end(page.version)
        self._pace.answered()
        self._relist_at = self._clock() + self._pace.spread(self._timing.relist)
        return page.version

    async def _watch(self) -> None:
        seconds = min(self._pace.spread(self._timing.watch), self._relist_at - self._clock())
        silence = self._timing.silence
        turn = time.monotonic()
        stream = self._source.changes(self._version, seconds=max(int(seconds), 1), silence=silence)
        async with aclosing(stream) as changes:
            async for change in changes:
                self._pace.answered()
                if change.kind != BOOKMARK:
                    self._sink.change(change)
                self._version = change.version
                if time.monotonic() - turn > SLICE:
                    await asyncio.sleep(0)
                    turn = time.monotonic()
