"""See whether pods can run on a pool's nodes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from multicluster.access.clock import Clock, system_clock
from multicluster.brackets.facts import list_daemon_sets, list_nodes, list_slices
from multicluster.brackets.finding import Finding
from multicluster.brackets.keeping import Kept
from multicluster.brackets.place import refuse_elsewhere
from multicluster.brackets.trouble import trouble
from multicluster.errors import NodePoolNotFoundError
from multicluster.node_pools.readiness import Readiness, readiness

if TYPE_CHECKING:
    from multicluster.brackets.keeping import LeaseKeeper
    from multicluster.brackets.place import Place
    from multicluster.registry.cluster import Cluster


FORGETFUL = timedelta(minutes=1)
"""How long a cloud may not know yet what it has just been asked for."""

AGAIN = "To have it made again, clear the bracket from its create_node_pool"
IN_A_ROW = 2
"""Looks that must find it ready one after the other: device plugins restart, and take their GPUs away for a moment."""


class ReadyLookout:
    """Looks at one pool, as often as it is asked, and keeps its lease. Each look blocks on cloud and cluster."""

    def __init__(
        self,
        place: Place,
        *,
        profile: str,
        nodes: int,
        find: Callable[[str], Cluster],
        keeper: LeaseKeeper,
        clock: Clock = system_clock,
    ) -> None:
        self.place = place
        self.profile = profile
        self.nodes = nodes
        self._find = find
        self._keeper = keeper
        self._clock = clock
        self._kept = Kept()
        self._in_a_row = 0
        self._missing_since: datetime | None = None

    def look(self) -> Finding:
        """Fetch the facts and judge them."""
        return replace(self._look(), lease=self._kept.text)

    def _look(self) -> Finding:
        subject = f"node pool {self.place.pool!r} on cluster {self.place.cluster!r}"
        with trouble(subject) as troubled:
            try:
                verdict = self._judge(self._find(self.place.cluster))
            except NodePoolNotFoundError as error:
                troubled.finding = self._missing(f"{subject}: {error}")
            else:
                self._missing_since = None
        if troubled.finding:
            self._in_a_row = 0
            return troubled.finding
        self._in_a_row = self._in_a_row + 1 if verdict.ready else 0
        text = f"{subject}: {verdict.diagnosis or verdict.reason}"
        if verdict.fatal:
            return Finding(status="failed", text=text)
        if self._kept.lost:
            return Finding(status="failed", text=f"{self._kept.text}. {AGAIN}")
        return Finding(status="done" if self._in_a_row >= IN_A_ROW else "waiting", text=text, soon=verdict.ready)

    def _missing(self, text: str) -> Finding:
        now = self._clock()
        self._missing_since = self._missing_since or now
        forgotten = now - self._missing_since > FORGETFUL
        return Finding(status="failed" if forgotten else "waiting", text=text, soon=True)

    def _judge(self, cluster: Cluster) -> Readiness:
        gpu = cluster.profile(self.profile).gpu
        refuse_elsewhere(cluster, asked_for=self.place.address, pool=self.place.pool)
        pools = cluster.node_pools()
        pool = pools.fill(self.place.pool)
        self._kept = self._keeper.see(self.place, pools, pool)
        nodes = list_nodes(cluster, pool.node_selector)
        verdict = readiness(pool, size=self.nodes, gpu=gpu, nodes=nodes)
        if verdict.ready or gpu is None or len(nodes) < self.nodes:
            return verdict
        slices, daemon_sets = list_slices(cluster), list_daemon_sets(cluster)
        return readiness(pool, size=self.nodes, gpu=gpu, nodes=nodes, resource_slices=slices, daemon_sets=daemon_sets)
