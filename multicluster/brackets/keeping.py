"""Keep the leases of pools for as long as somebody in this process waits for them."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from multicluster.access.clock import Clock, system_clock
from multicluster.brackets.holding import due_at, holding, in_words
from multicluster.brackets.place import Place, refuse_elsewhere
from multicluster.errors import NodePoolNotFoundError

if TYPE_CHECKING:
    from multicluster.node_pools.pool import NodePool
    from multicluster.node_pools.protocol import NodePools
    from multicluster.registry.cluster import Cluster

EVERY = timedelta(minutes=1)
"""How often a process asks the cloud for a pool's lease, at the most, however many wait for the pool."""
SHARES = (0.4, 0.5)
"""Between these lies the share of its term at which a process renews a lease, by chance: the first who does, does it
for all processes, since the others see it before their turn comes."""
FORGOTTEN = timedelta(hours=1)
"""How long after its next look was due a pool is forgotten for which nobody has asked since."""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What is known of a pool's lease."""

    text: str = ""
    """In words, for the log of whoever waits; the same as before where there is nothing new, empty before the first
    answer."""
    lost: bool = False
    """Whether the pool can no longer be counted on: gone, being deleted, another's, or its lease was over too long."""


@dataclass
class _Known:
    kept: Kept
    due_at: datetime
    asked_at: datetime
    """When somebody last wanted to know."""


class LeaseKeeper:
    """Renews leases when less than half is left. One for each process and the pools it waits for; thread-safe.

    Whoever waits calls ``look`` (or ``see``) at each of its own looks: most calls cost a comparison. What goes wrong is
    told in words and tried again at a later look; it ends nobody's wait.
    """

    def __init__(self, *, clock: Clock = system_clock, share: float | None = None) -> None:
        self._clock = clock
        self._share = random.uniform(*SHARES) if share is None else share  # noqa: S311 - no secret
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str, str], _Known] = {}

    def known(self, place: Place) -> Kept | None:
        """Return what is known, without blocking; None when it is time for a look."""
        with self._lock:
            return self._still_known(place, self._clock())

    def look(self, place: Place, find: Callable[[str], Cluster], *, fresh: bool = False) -> Kept:
        """Renew the lease of *place*'s owner where it is time to. Blocks on the cloud then, else returns at once.

        With *fresh* it asks now in any case, for whoever is about to use the pool.
        """

        def read() -> tuple[NodePools, NodePool | None]:
            cluster = find(place.cluster)
            refuse_elsewhere(cluster, asked_for=place.address, pool=place.pool)
            pools = cluster.node_pools()
            try:
                return pools, pools.get(place.pool)
            except NodePoolNotFoundError:
                return pools, None

        kept = self._claim(place)
        return kept if kept and not fresh else self._keep(place, read, turn=kept is None)

    def see(self, place: Place, pools: NodePools, pool: NodePool) -> Kept:
        """Do the same for whoever has just read the *pool*."""
        return self._claim(place) or self._keep(place, lambda: (pools, pool), turn=True)

    def forget(self, place: Place) -> None:
        """Let the next look ask the cloud: the pool has been made again."""
        with self._lock:
            self._known.pop(_key(place), None)

    def _claim(self, place: Place) -> Kept | None:
        """Return what is known, or None for the one caller whose turn it is to look."""
        with self._lock:
            now = self._clock()
            kept = self._still_known(place, now)
            if kept is None:
                before = self._known.get(_key(place))
                self._remember(place, before.kept if before else Kept(), due=now)
            return kept

    def _still_known(self, place: Place, now: datetime) -> Kept | None:
        known = self._known.get(_key(place))
        if known is None or not known.asked_at <= now < known.due_at:  # a clock that was set back is no reason to rest
            return None
        known.asked_at = now
        return known.kept

    def _keep(self, place: Place, read: Callable[[], tuple[NodePools, NodePool | None]], *, turn: bool) -> Kept:
        """Read the pool, judge, and renew its lease where it is due and the caller's *turn*."""
        due = self._clock()
        try:
            pools, pool = read()
            verdict = holding(pool, place, self._clock(), share=self._share)
            lease = verdict.lease
            if verdict.renewal and turn:
                pools.renew(place.pool, verdict.renewal)
                lease = verdict.renewal
            kept = Kept(text=verdict.why_lost, lost=True)
            if lease is not None:
                due = due_at(lease, share=self._share)
                kept = Kept(text=in_words(pools, place, lease, again=lease is verdict.renewal))
        except Exception as error:  # noqa: BLE001 - whoever waits goes on, and the error is in its log
            trouble = f"{type(error).__name__}: {error}"
            kept = Kept(
                text=f"the lease of node pool {place.pool!r} on cluster {place.cluster!r} could not be looked after, "
                f"which is tried again: {trouble}"
            )
        with self._lock:
            if turn:
                self._remember(place, kept, due=due)
            elif _key(place) in self._known:
                self._known[_key(place)].kept = kept
        return kept

    def _remember(self, place: Place, kept: Kept, *, due: datetime) -> None:
        now = self._clock()
        self._known = {key: one for key, one in self._known.items() if now - one.due_at < FORGOTTEN}
        self._known[_key(place)] = _Known(kept=kept, due_at=max(due, now + EVERY), asked_at=now)


def _key(place: Place) -> tuple[str, str, str]:
    return place.cluster, place.pool, place.owner
