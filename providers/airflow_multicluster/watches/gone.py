"""See whether a pool, its machines and its nodes are gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicluster.node_pools import delete_pool, refuse_strange
from airflow_multicluster.watches.facts import list_nodes
from airflow_multicluster.watches.finding import Finding, Status
from airflow_multicluster.watches.trouble import trouble
from multicluster.errors import NodePoolNotFoundError, NodePoolRefusedError
from multicluster.node_pools.gone import gone
from multicluster.node_pools.pool import NodePoolState

if TYPE_CHECKING:
    from multicluster import Cluster


IN_A_ROW = 2
"""Looks that must find nothing one after the other: a cloud may not know yet, or for a moment, what it has."""


class GoneWatch:
    """Looks at one pool, as often as it is asked; a pool that is not on its way out is deleted, at most *asks* times.

    Each look blocks on the cloud and on the cluster.
    """

    def __init__(self, *, cluster: str, pool: str, owner: str, asks: int) -> None:
        self.cluster = cluster
        self.pool = pool
        self.owner = owner
        self.asks = asks
        self._asked = 0
        self._in_a_row = 0

    def look(self) -> Finding:
        """Fetch the facts, judge them, and ask for the deletion again where it did not take."""
        from airflow_multicluster.hooks.cluster import find_cluster

        with trouble(f"node pool {self.pool!r} on cluster {self.cluster!r}") as troubled:
            finding = self._look(find_cluster(self.cluster))
        return troubled.finding or finding

    def _look(self, cluster: Cluster) -> Finding:
        pools = cluster.node_pools()
        try:
            pool = pools.get(self.pool)
        except NodePoolNotFoundError:
            pool = None
        if pool is None:
            nodes = [node.name for node in list_nodes(cluster, pools.node_selector(self.pool))]
            verdict = gone(self.pool, pool=None, instances=pools.instances(self.pool), nodes=nodes)
        else:
            refuse_strange(pool, owner=self.owner, cluster_name=self.cluster)
            verdict = gone(self.pool, pool=pool, instances=(), nodes=())
        text = f"cluster {self.cluster!r}: {verdict.reason}"
        self._in_a_row = self._in_a_row + 1 if verdict.gone else 0
        if pool is None or pool.state is NodePoolState.DELETING:
            status: Status = "done" if self._in_a_row >= IN_A_ROW else "waiting"
            return Finding(status=status, text=text, soon=verdict.gone)
        return self._delete_again(text)

    def _delete_again(self, text: str) -> Finding:
        if self._asked >= self.asks:
            asked = f"its deletion was asked for {self._asked} times more, in vain"
            return Finding(status="failed", text=f"{text}; {asked}. It may cost money: delete it by hand")
        self._asked += 1
        asked = f"asked to delete it again, {self._asked} of {self.asks}"
        try:
            delete_pool(cluster_name=self.cluster, name=self.pool, owner=self.owner)
        except NodePoolRefusedError as error:
            asked = f"{asked} (refused: {error})"
        return Finding(status="waiting", text=f"{text}; {asked}")
