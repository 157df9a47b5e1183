"""See whether pods can run on a pool's nodes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from airflow_multicluster.lookouts.facts import list_daemon_sets, list_nodes, list_slices
from airflow_multicluster.lookouts.finding import Finding
from airflow_multicluster.lookouts.trouble import trouble
from multicluster.errors import NodePoolNotFoundError
from multicluster.node_pools.readiness import Readiness, readiness

if TYPE_CHECKING:
    from multicluster import Cluster


FORGETFUL_SECONDS = 60.0
"""How long a cloud may not know yet what it has just been asked for."""

IN_A_ROW = 2
"""Looks that must find it ready one after the other: device plugins restart, and take their GPUs away for a moment."""


class ReadyLookout:
    """Looks at one pool, as often as it is asked. Each look blocks on the cloud and on the cluster."""

    def __init__(self, *, cluster: str, pool: str, profile: str, nodes: int) -> None:
        self.cluster = cluster
        self.pool = pool
        self.profile = profile
        self.nodes = nodes
        self._in_a_row = 0
        self._missing_since: float | None = None

    def look(self) -> Finding:
        """Fetch the facts and judge them."""
        from airflow_multicluster.hooks.cluster import find_cluster

        subject = f"node pool {self.pool!r} on cluster {self.cluster!r}"
        with trouble(subject) as troubled:
            try:
                verdict = self._judge(find_cluster(self.cluster))
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
        return Finding(status="done" if self._in_a_row >= IN_A_ROW else "waiting", text=text, soon=verdict.ready)

    def _missing(self, text: str) -> Finding:
        now = time.time()
        self._missing_since = self._missing_since or now
        forgotten = now - self._missing_since > FORGETFUL_SECONDS
        return Finding(status="failed" if forgotten else "waiting", text=text, soon=True)

    def _judge(self, cluster: Cluster) -> Readiness:
        gpu = cluster.profile(self.profile).gpu
        pool = cluster.node_pools().fill(self.pool)
        nodes = list_nodes(cluster, pool.node_selector)
        verdict = readiness(pool, size=self.nodes, gpu=gpu, nodes=nodes)
        if verdict.ready or gpu is None or len(nodes) < self.nodes:
            return verdict
        slices, daemon_sets = list_slices(cluster), list_daemon_sets(cluster)
        return readiness(pool, size=self.nodes, gpu=gpu, nodes=nodes, resource_slices=slices, daemon_sets=daemon_sets)
