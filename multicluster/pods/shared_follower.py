"""Follow a collection while somebody needs it, and say in the cluster's name why that came to an end."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass, field

from multicluster.errors import ClusterUnreachableError, CredentialError, MulticlusterError
from multicluster.pods.follower import Follower, Sink
from multicluster.pods.pace import Pace, Timing
from multicluster.pods.shared_task import SharedTask
from multicluster.pods.source import Source, SourceError

Connect = Callable[[], AbstractAsyncContextManager[Source]]
"""Opens the source, and keeps what it needs for as long as it is used."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """What is followed, for errors and the log, and how time passes there."""

    cluster: str
    namespace: str
    timing: Timing = field(default_factory=Timing)
    clock: Callable[[], float] = time.monotonic
    chance: random.Random = field(default_factory=random.Random)

    def pace(self) -> Pace:
        """Return a new pace of asking."""
        return Pace(self.timing, clock=self.clock, chance=self.chance)


class SharedFollower:
    """Follows for *sink* while it is held and a while longer; *ended* is called when it is over for good.

    *what* is followed in words; not *whole*, a list is asked for its version only.
    """

    def __init__(
        self, connect: Connect, sink: Sink, place: Place, *, what: str, ended: Callable[[], None], whole: bool = True
    ) -> None:
        self._connect = connect
        self._sink = sink
        self._place = place
        self._what = f"the {what} of namespace {place.namespace!r}"
        self._ended = ended
        self._whole = whole
        self._task = SharedTask(self._work, linger=place.timing.linger, ended=self._over)
        self._failure: tuple[type[MulticlusterError], str] | None = None
        self.source: Source | None = None
        """Where to ask for more; None before it is open and when it is over."""

    def held(self) -> AbstractContextManager[None]:
        """Keep it following for the block."""
        return self._task.held()

    @property
    def failed(self) -> bool:
        """Whether it is over: ``check`` says why."""
        return self._failure is not None

    def check(self) -> None:
        """Raise why it is over, if it is: ClusterUnreachableError or CredentialError, with the cluster's name."""
        if self._failure:
            kind, text = self._failure
            raise kind(text)

    def words(self, error: SourceError) -> MulticlusterError:
        """Return what to tell those who waited for too long."""
        kind = CredentialError if isinstance(error.__cause__, CredentialError) else ClusterUnreachableError
        return kind(
            f"cluster {self._place.cluster!r}: for {self._place.timing.give_up:.0f} s nothing could be learnt of "
            f"{self._what}: {error}"
        )

    async def _work(self) -> None:
        async with self._connect() as source:
            self.source = source
            name = f"cluster {self._place.cluster!r}, {self._what}"
            follower = Follower(
                source, self._sink, name=name, timing=self._place.timing, pace=self._place.pace(),
                clock=self._place.clock, whole=self._whole,
            )  # fmt: skip
            try:
                await follower.run()
            except SourceError as error:
                raise self.words(error) from error

    def _over(self, error: BaseException | None) -> None:
        self.source = None
        if isinstance(error, MulticlusterError):
            self._failure = (type(error), str(error))
        else:  # dismissed, and nobody is left who could read this; or cancelled, or a mistake of ours
            text = f"cluster {self._place.cluster!r}: following {self._what} ended: {error!r}"
            self._failure = (MulticlusterError, text)
        self._ended()
        self._sink.wake()
