"""Wait for pods of one namespace, all with one watch."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from multicluster.errors import ClusterUnreachableError, CredentialError, MulticlusterError
from multicluster.pods.board import Board
from multicluster.pods.entry import Entry, Sighting
from multicluster.pods.follower import PAGE, Follower
from multicluster.pods.pace import Pace, Timing
from multicluster.pods.shared_task import SharedTask
from multicluster.pods.source import Source, SourceError

FEW = 20
"""So many pods are asked for one by one; for more of them a list is cheaper."""
REQUESTS_WITHOUT_WATCH = 8
"""How many pods are asked for at the same time where no watch is allowed."""
Connect = Callable[[], AbstractAsyncContextManager[Source]]
"""Opens the source, and keeps what it needs for as long as it is used."""


class PodWatch:
    """One list and one watch for all who wait for pods of one namespace in one event loop.

    *labels* narrow them to pods that carry them all; a pod without them is found all the same, by its own requests.
    At most two requests are under way: the watch, and one that lists or gets. *cluster* and *namespace* are for errors.
    *ended* is called when the watch is over; those who come later must not get it any more.
    """

    def __init__(
        self,
        connect: Connect,
        *,
        cluster: str,
        namespace: str,
        labels: Mapping[str, str],
        ended: Callable[[], None],
        timing: Timing | None = None,
        clock: Callable[[], float] = time.monotonic,
        chance: random.Random | None = None,
    ) -> None:
        self._connect = connect
        self._cluster = cluster
        self._namespace = namespace
        self._board = Board(labels)
        self._ended = ended
        self._timing = timing or Timing()
        self._clock = clock
        self._chance = chance or random.Random()  # noqa: S311 - it spreads requests
        self._task = SharedTask(self._work, linger=self._timing.linger, ended=self._over)
        self._source: Source | None = None
        self._turns = {True: asyncio.Semaphore(REQUESTS_WITHOUT_WATCH), False: asyncio.Semaphore(1)}
        self._failure: tuple[type[MulticlusterError], str] | None = None

    @asynccontextmanager
    async def waiting_for(self, name: str) -> AsyncIterator[WatchedPod]:
        """Wait for the pod of that name during the block."""
        entry = self._board.enter(name)
        try:
            with self._task.held():
                yield WatchedPod(self, entry)
        finally:
            self._board.leave(entry)

    @property
    def forbidden(self) -> str:
        """Why nothing is watched here, in the server's words; empty while something is."""
        return self._board.forbidden

    async def read(self, entry: Entry) -> Sighting | None:
        """See WatchedPod.read."""
        pace = self._pace()
        while True:
            if self._failure:
                kind, text = self._failure
                raise kind(text)
            if entry.settled:
                return entry.seen
            if self._source is None or not (self._board.listed or self._board.forbidden):
                await entry.wait(self._timing.most_delay)
                continue
            try:
                await self._ask(entry, self._source)
            except SourceError as error:
                if pace.exhausted:
                    raise self._words(error) from error
                await asyncio.sleep(pace.delay(error.retry_after))

    async def news(self, entry: Entry, turn: int, *, within: float, interval: float) -> None:
        """See WatchedPod.news."""
        if self._board.forbidden or entry.apart:
            await asyncio.sleep(interval)
            entry.doubt()
        elif entry.turn == turn and not self._failure:
            await entry.wait(within)

    async def _ask(self, entry: Entry, source: Source) -> None:
        async with self._turns[bool(self._board.forbidden)]:
            if self._board.listed and self._board.unlisted > FEW:
                await self._list(source)
            if not entry.settled:
                self._board.answer(entry, await source.get(entry.name))

    async def _list(self, source: Source) -> None:
        """List for many at once, beside the open watch."""
        shown: dict[str, Sighting] = {}
        rest, version = "", ""
        while rest or not version:
            page = await source.page(size=PAGE, rest=rest)
            shown |= self._board.wanted(page.items)
            rest, version = page.rest, page.version
        self._board.compare(shown, version, alone=False)

    async def _work(self) -> None:
        name = f"pods of namespace {self._namespace!r} on cluster {self._cluster!r}"
        async with self._connect() as source:
            self._source = source
            follower = Follower(
                source, self._board, name=name, timing=self._timing, pace=self._pace(), clock=self._clock
            )
            try:
                await follower.run()
            except SourceError as error:
                raise self._words(error) from error

    def _over(self, error: BaseException | None) -> None:
        self._source = None
        if isinstance(error, MulticlusterError):
            self._failure = (type(error), str(error))
        else:  # dismissed, and nobody is left who could read this; or cancelled, or a mistake of ours
            text = f"cluster {self._cluster!r}: the watch of namespace {self._namespace!r} ended: {error!r}"
            self._failure = (MulticlusterError, text)
        self._ended()
        self._board.wake()

    def _pace(self) -> Pace:
        return Pace(self._timing, clock=self._clock, chance=self._chance)

    def _words(self, error: SourceError) -> MulticlusterError:
        kind = CredentialError if isinstance(error.__cause__, CredentialError) else ClusterUnreachableError
        return kind(
            f"cluster {self._cluster!r}: for {self._timing.give_up:.0f} s nothing could be learnt of the pods of "
            f"namespace {self._namespace!r}, and nobody knows how they are: {error}"
        )


class WatchedPod:
    """A pod that somebody waits for."""

    def __init__(self, watch: PodWatch, entry: Entry) -> None:
        self._watch = watch
        self._entry = entry
        self._turn = -1

    @property
    def forbidden(self) -> str:
        """Why the pod has to be asked for again and again; empty when a watch tells of it."""
        return self._watch.forbidden

    async def read(self) -> Sighting | None:
        """Return the pod as it was last seen, None when there is none; asks the server only when that is not known.

        While the API server is in trouble, what was last known is returned, for as long as ``Timing.give_up``; then
        ClusterUnreachableError or CredentialError is raised, with the cluster's name. Where the server refuses the GET
        of this very pod, the client's own error is raised.
        """
        sighting = await self._watch.read(self._entry)
        self._turn = self._entry.turn
        return sighting

    async def news(self, *, within: float, interval: float) -> None:
        """Return when there is something new to read, at the latest after *within* seconds.

        Where no watch tells of the pod, return after *interval* seconds; the next read asks for it.
        """
        await self._watch.news(self._entry, self._turn, within=within, interval=interval)
