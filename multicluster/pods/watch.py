"""Wait for pods of one namespace, all with one watch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from multicluster.pods.board import Board
from multicluster.pods.entry import Entry, Sighting
from multicluster.pods.follower import PAGE
from multicluster.pods.shared_follower import Connect, Place, SharedFollower
from multicluster.pods.source import Source, SourceError

FEW = 20
"""So many pods are asked for one by one; for more of them a list is cheaper."""
REQUESTS_WITHOUT_WATCH = 8
"""How many pods are asked for at the same time where no watch is allowed."""


class PodWatch:
    """One list and one watch for all who wait for pods of one namespace in one event loop.

    *labels* narrow them to pods that carry them all; a pod without them is found all the same, by its own requests.
    At most two requests are under way: the watch, and one that lists or gets. *ended* is called when the watch is over;
    those who come later must not get it any more.
    """

    def __init__(self, connect: Connect, place: Place, *, labels: Mapping[str, str], ended: Callable[[], None]) -> None:
        self._place = place
        self._board = Board(labels)
        self._follower = SharedFollower(connect, self._board, place, what="pods", ended=ended)
        self._turns = {True: asyncio.Semaphore(REQUESTS_WITHOUT_WATCH), False: asyncio.Semaphore(1)}

    @asynccontextmanager
    async def waiting_for(self, name: str) -> AsyncIterator[WatchedPod]:
        """Wait for the pod of that name during the block."""
        entry = self._board.enter(name)
        try:
            with self._follower.held():
                yield WatchedPod(self, entry)
        finally:
            self._board.leave(entry)

    @property
    def forbidden(self) -> str:
        """Why nothing is watched here, in the server's words; empty while something is."""
        return self._board.forbidden

    async def read(self, entry: Entry) -> Sighting | None:
        """See WatchedPod.read."""
        pace = self._place.pace()
        while True:
            self._follower.check()
            if entry.settled:
                return entry.seen
            source = self._follower.source
            if source is None or not (self._board.listed or self._board.forbidden):
                await entry.wait(self._place.timing.most_delay)
                continue
            try:
                await self._ask(entry, source)
            except SourceError as error:
                if pace.exhausted:
                    raise self._follower.words(error) from error
                await asyncio.sleep(pace.delay(error.retry_after))

    async def news(self, entry: Entry, turn: int, *, within: float, interval: float) -> None:
        """See WatchedPod.news."""
        if self._board.forbidden or entry.apart:
            await asyncio.sleep(interval)
            entry.doubt()
        elif entry.turn == turn and not self._follower.failed:
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
