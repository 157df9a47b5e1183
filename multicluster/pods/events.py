"""Hear the events of pods of one namespace, all with one watch."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable

from multicluster.pods.follower import PAGE
from multicluster.pods.shared_follower import Connect, Place, SharedFollower
from multicluster.pods.source import DELETED, Change, Document, NotAllowedError, Source, SourceError

MANY = 20
"""For so many pods at once, the events of the namespace are listed together."""
KEPT = 500
"""Events kept for a listener that does not get round to them; the oldest are lost first."""


class Feed:
    """The events of one pod that its listener has not heard yet."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.unheard: deque[Document] = deque(maxlen=KEPT)
        self.behind = True
        """Events may have been missed: only a list can tell."""
        self.news = asyncio.Event()

    def take(self, event: Document) -> None:
        """Keep an event for the listener."""
        self.unheard.append(event)
        self.news.set()


class EventBoard:
    """Hands events to those who listen. Events are not kept: a list of the past is asked for when it is needed."""

    def __init__(self) -> None:
        self.feeds: dict[str, list[Feed]] = {}
        self.listed = False
        self.forbidden = ""

    def enter(self, name: str) -> Feed:
        """Return a feed for one more listener."""
        feed = Feed(name)
        self.feeds.setdefault(name, []).append(feed)
        return feed

    def leave(self, feed: Feed) -> None:
        """Forget the listener."""
        self.feeds[feed.name].remove(feed)
        if not self.feeds[feed.name]:
            del self.feeds[feed.name]

    def all(self) -> list[Feed]:
        """Return all feeds."""
        return [feed for feeds in self.feeds.values() for feed in feeds]

    def wake(self) -> None:
        """Let everybody look."""
        for feed in self.all():
            feed.news.set()

    def begin(self) -> None:
        """Take no notice of a list's beginning."""

    def show(self, items: Iterable[Document]) -> None:
        """Take no notice of what a list shows: it is asked for its version only."""

    def end(self, version: str) -> None:  # noqa: ARG002 - what is newer will be told
        """Note that what happened before was not told."""
        self.listed, self.forbidden = True, ""
        for feed in self.all():
            feed.behind = True
        self.wake()

    def change(self, change: Change) -> None:
        """Hand on an event."""
        if change.kind != DELETED:
            self.hand_on(change.document)

    def hand_on(self, event: Document) -> None:
        """Give an event to those who listen to its pod."""
        for feed in self.feeds.get(event.get("involvedObject", {}).get("name", ""), ()):
            feed.take(event)

    def forbid(self, reason: str) -> None:
        """Note why nothing will be told."""
        self.forbidden, self.listed = reason, False
        self.wake()


class PodEvents:
    """One watch for all who listen to the events of pods of one namespace in one event loop.

    Each listener first hears of the past, by one list, then what happens. An event may be heard twice, and comes in no
    particular order. *ended* is called when it is over.
    """

    def __init__(self, connect: Connect, place: Place, *, ended: Callable[[], None]) -> None:
        self._place = place
        self._board = EventBoard()
        self._follower = SharedFollower(connect, self._board, place, what="events of pods", ended=ended, whole=False)
        self._turn = asyncio.Semaphore(1)

    @property
    def forbidden(self) -> str:
        """Why no events are told here, in the server's words; empty while they are."""
        return self._board.forbidden

    async def about(self, name: str) -> AsyncGenerator[Document, None]:
        """Yield the events of a pod until the caller stops, or until they are ``forbidden``.

        Raises ClusterUnreachableError or CredentialError as WatchedPod.read does.
        """
        feed = self._board.enter(name)
        pace = self._place.pace()
        try:
            with self._follower.held():
                while not self._board.forbidden:
                    self._follower.check()
                    source = self._follower.source
                    feed.news.clear()
                    if feed.behind and self._board.listed and source is not None:
                        try:
                            await self._catch_up(feed, source)
                        except NotAllowedError as error:
                            self._board.forbid(str(error))
                        except SourceError as error:
                            await asyncio.sleep(pace.delay(error.retry_after))
                            feed.news.set()
                    while feed.unheard:
                        yield feed.unheard.popleft()
                    await feed.news.wait()
        finally:
            self._board.leave(feed)

    async def _catch_up(self, feed: Feed, source: Source) -> None:
        async with self._turn:
            behind = [one for one in self._board.all() if one.behind]
            if feed not in behind:
                return
            about = feed.name if len(behind) <= MANY else ""
            listening = [one for one in behind if about in {"", one.name}]
            for one in listening:
                one.behind = False  # now, so that what is missed from now on is not taken for caught up
            try:
                await self._list(listening, source, about)
            except BaseException:
                for one in listening:
                    one.behind = True
                    one.news.set()
                raise

    async def _list(self, listening: list[Feed], source: Source, about: str) -> None:
        rest, first = "", True
        while rest or first:
            page = await source.page(size=PAGE, rest=rest, about=about)
            rest, first = page.rest, False
            for event in page.items:
                for feed in listening:
                    if feed.name == event.get("involvedObject", {}).get("name"):
                        feed.take(event)
