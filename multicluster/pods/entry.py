"""What is known of one pod, and who waits for news of it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass

from multicluster.pods.source import Document

ENDED = frozenset({"Succeeded", "Failed"})
"""Phases in which a pod stays."""
APART = frozenset({"spec", "kind", "apiVersion"})


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """A pod as it was last seen."""

    version: int
    """Versions of one cluster can be compared since Kubernetes 1.35 by contract (KEP-5504), before it in fact."""
    phase: str
    text: str
    """The pod as JSON but for its spec, its kind, which lists leave out, and managedFields, which nobody here reads."""
    spec: str
    """Its spec as JSON: large, and nearly always the same as before."""

    @classmethod
    def of(cls, document: Document) -> Sighting:
        """Read the pod."""
        metadata = {key: value for key, value in document["metadata"].items() if key != "managedFields"}
        rest = {key: value for key, value in document.items() if key not in APART}
        version = metadata.get("resourceVersion", "")
        return cls(
            version=int(version) if version.isdigit() else 0,
            phase=document.get("status", {}).get("phase", ""),
            text=json.dumps({**rest, "metadata": metadata}),
            spec=json.dumps(document.get("spec")),
        )

    @property
    def ended(self) -> bool:
        """Whether the pod has come to its end, of which nothing can be learnt later."""
        return self.phase in ENDED


class Entry:
    """One pod that is waited for. Neither seen nor gone, it has to be asked for."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.readers = 0
        self.turn = 0
        """Counts what has become known, so that a reader can tell whether there is news."""
        self.seen: Sighting | None = None
        self.gone = False
        self.unlisted = False
        """A list did not show it: only its own GET can tell more."""
        self.apart = False
        """It lacks the labels that are watched for: only its own GETs tell of it."""
        self._wakers: set[asyncio.Future[None]] = set()

    @property
    def settled(self) -> bool:
        """Whether there is an answer."""
        return self.seen is not None or self.gone

    def see(self, sighting: Sighting) -> None:
        """Take note of what was seen, and wake those who wait when it is news."""
        news = sighting != self.seen
        self.seen, self.gone, self.unlisted = sighting, False, False
        if news:
            self.wake()

    def miss(self) -> None:
        """Note that the server knows no such pod."""
        self.seen, self.gone = None, True
        self.wake()

    def doubt(self) -> None:
        """Forget what is known: it may be so no longer, and has to be asked for."""
        self.seen, self.gone, self.unlisted = None, False, True
        self.wake()

    def wake(self) -> None:
        """Let everybody look who waits."""
        self.turn += 1
        for waker in self._wakers:
            if not waker.done():
                waker.set_result(None)

    async def wait(self, seconds: float) -> None:
        """Return when there is news, at the latest after so many seconds. Costs one future and one timer."""
        loop = asyncio.get_running_loop()
        waker: asyncio.Future[None] = loop.create_future()
        timer = loop.call_later(seconds, _release, waker)
        self._wakers.add(waker)
        try:
            await waker
        finally:
            timer.cancel()
            self._wakers.discard(waker)


def _release(waker: asyncio.Future[None]) -> None:
    if not waker.done():
        waker.set_result(None)
