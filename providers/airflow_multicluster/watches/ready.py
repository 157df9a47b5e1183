"""See whether pods can run on a pool's nodes."""

from __future__ import annotations

import logging

from multicluster.node_pools.readiness import NodeFacts, Readiness, readiness

from airflow_multicluster.watches.finding import Finding
from airflow_multicluster.watches.nodes import list_nodes
from airflow_multicluster.watches.trouble import trouble

log = logging.getLogger(__name__)
IN_A_ROW = 2
"""Looks that must say ready one after the other: a device plugin that restarts takes its GPUs away again."""


class ReadyWatch:
    """Looks at one pool, as often as it is asked. Each look blocks on the cloud and on the cluster."""

    def __init__(self, *, cluster: str, pool: str, profile: str, nodes: int) -> None:
        self.cluster = cluster
        self.pool = pool
        self.profile = profile
        self.nodes = nodes
        self._in_a_row = 0

    def look(self) -> Finding:
        """Fetch the facts and judge them."""
        with trouble(f"node pool {self.pool!r} on cluster {self.cluster!r}") as troubled:
            verdict = self._verdict()
        if troubled.finding:
            self._in_a_row = 0
            return troubled.finding
        self._in_a_row = self._in_a_row + 1 if verdict.ready else 0
        text = f"node pool {self.pool!r} on cluster {self.cluster!r}: {verdict.diagnosis or verdict.reason}"
        if verdict.fatal:
            return Finding(status="failed", text=text)
        return Finding(status="done" if self._in_a_row >= IN_A_ROW else "waiting", text=text)

    def _verdict(self) -> Readiness:
        from airflow_multicluster.hooks.cluster import find_cluster

        cluster = find_cluster(self.cluster)
        profile = cluster.profile(self.profile)
        pool = cluster.node_pools().get(self.pool)
        nodes = [NodeFacts.from_object(node) for node in list_nodes(cluster, pool.node_selector)]
        return readiness(pool, size=self.nodes, gpu=profile.gpu, nodes=nodes)
