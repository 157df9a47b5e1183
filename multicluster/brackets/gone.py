"""See whether a pool, its machines and its nodes are gone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from multicluster.access.clock import Clock, system_clock
from multicluster.brackets.deletion import delete_pool, refuse_strange
from multicluster.brackets.facts import list_nodes
from multicluster.brackets.finding import Finding, Status
from multicluster.brackets.place import Place, refuse_elsewhere
from multicluster.brackets.ready import FORGETFUL
from multicluster.brackets.trouble import trouble
from multicluster.errors import MulticlusterError, NodePoolBusyError, NodePoolNotFoundError, NodePoolRefusedError
from multicluster.node_pools.gone import gone
from multicluster.node_pools.pool import NodePoolState

if TYPE_CHECKING:
    from multicluster.brackets.keeping import LeaseKeeper
    from multicluster.node_pools.pool import NodePool
    from multicluster.node_pools.protocol import NodePools
    from multicluster.registry.cluster import Cluster


PATIENCE = 10
"""Looks in a row that may fail before the proof is given up: a registry half written, a right missing for a moment."""
IN_A_ROW = 2
"""Looks that must find nothing one after the other: a cloud may not know yet, or for a moment, what it has."""
RELEASES = 3
"""How often the dead-man switch of a pool that is gone is taken away in vain; left alone it finds nothing, and ends."""


class GoneLookout:
    """Looks at one pool, as often as it is asked; a pool that is not on its way out is deleted, at most *asks* times.

    Its lease is kept until the cloud has taken the deletion, and its dead-man switch until the pool is proven gone.
    Each look blocks on the cloud and on the cluster.
    """

    def __init__(
        self,
        place: Place,
        *,
        asks: int,
        find: Callable[[str], Cluster],
        keeper: LeaseKeeper,
        clock: Clock = system_clock,
    ) -> None:
        self.place = place
        self._find = find
        self._keeper = keeper
        self._clock = clock
        self.asks = asks
        self._asked = 0
        self._in_a_row = 0
        self._troubled_in_a_row = 0
        self._seen = False
        self._lease = ""
        self._released = 0
        self._absent_since: datetime | None = None

    def look(self) -> Finding:
        """Fetch the facts, judge them, and ask for the deletion again where it did not take."""
        return replace(self._patient_look(), lease=self._lease)

    def _patient_look(self) -> Finding:
        with trouble(f"node pool {self.place.pool!r} on cluster {self.place.cluster!r}") as troubled:
            finding = self._look(self._find(self.place.cluster))
        if troubled.finding is None:
            self._troubled_in_a_row = 0
            return finding
        self._in_a_row = 0
        self._troubled_in_a_row += 1
        if troubled.finding.settled and self._troubled_in_a_row < PATIENCE:
            return replace(troubled.finding, status="waiting")
        return troubled.finding

    def _look(self, cluster: Cluster) -> Finding:
        refuse_elsewhere(cluster, asked_for=self.place.address, pool=self.place.pool)
        pools = cluster.node_pools()
        try:
            pool = pools.get(self.place.pool)
        except NodePoolNotFoundError:
            pool = None
        if pool is None:
            name = self.place.pool
            nodes = [node.name for node in list_nodes(cluster, pools.node_selector(name))]
            verdict = gone(name, pool=None, instances=pools.instances(name), nodes=nodes)
        else:
            refuse_strange(pool, owner=self.place.owner, cluster_name=self.place.cluster)
            verdict = gone(self.place.pool, pool=pool, instances=(), nodes=())
        text = f"cluster {self.place.cluster!r}: {verdict.reason}"
        self._seen = self._seen or pool is not None
        self._in_a_row = self._in_a_row + 1 if verdict.gone else 0
        if pool is not None and pool.state is not NodePoolState.DELETING:
            return self._delete_again(cluster, pool, text)
        self._lease = ""
        if self._in_a_row >= IN_A_ROW and self._certain():
            return self._release(pools, text)
        return Finding(status="waiting", text=text, soon=verdict.gone)

    def _release(self, pools: NodePools, text: str) -> Finding:
        """Take the dead-man switch away. What keeps it in place is told, and makes no proof undone."""
        try:
            pools.release(self.place.pool)
        except MulticlusterError as error:
            self._released += 1
            there = isinstance(error, NodePoolBusyError)  # it was seen once more: prove it anew
            self._in_a_row = 0 if there else self._in_a_row
            status: Status = "waiting" if error.transient and self._released < RELEASES else "done"
            left = "its dead-man switch could not be taken away; it will fire once and find nothing"
            return Finding(status=status, text=f"{text}; {left} ({error})", soon=True, enough=not there)
        return Finding(status="done", text=text)

    def _certain(self) -> bool:
        """Whether finding nothing proves anything: a pool that was perhaps just asked for may yet appear."""
        now = self._clock()
        self._absent_since = self._absent_since or now
        return self.place.sure or self._seen or now - self._absent_since >= FORGETFUL

    def _delete_again(self, cluster: Cluster, pool: NodePool, text: str) -> Finding:
        if self._asked >= self.asks:
            asked = f"its deletion was asked for {self._asked} times more, in vain"
            return Finding(status="failed", text=f"{text}; {asked}. It may cost money: delete it by hand")
        refused = ""
        try:
            delete_pool(cluster, self.place)
        except MulticlusterError as error:
            self._lease = self._keeper.see(self.place, cluster.node_pools(), pool).text
            if not isinstance(error, NodePoolRefusedError):
                raise
            refused = f" (refused: {error})"
        self._asked += 1  # counted once the cloud has answered: a busy one was not asked
        asked = f"asked to delete it again, {self._asked} of {self.asks}{refused}"
        return Finding(status="waiting", text=f"{text}; {asked}")
