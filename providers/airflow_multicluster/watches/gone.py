"""See whether a pool, its machines and its nodes are gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicluster.node_pools import delete_pool, refuse_strange
from airflow_multicluster.watches.finding import Finding
from airflow_multicluster.watches.nodes import list_nodes
from airflow_multicluster.watches.trouble import trouble
from multicluster.errors import NodePoolNotFoundError, NodePoolRefusedError
from multicluster.node_pools.pool import NodePoolState

if TYPE_CHECKING:
    from multicluster import Cluster
    from multicluster.node_pools.pool import NodePool


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
        self._refusal = ""

    def look(self) -> Finding:
        """Fetch the facts, judge them, and ask for the deletion again where it did not take."""
        with trouble(self._subject) as troubled:
            finding = self._look()
        return troubled.finding or finding

    @property
    def _subject(self) -> str:
        return f"node pool {self.pool!r} on cluster {self.cluster!r}"

    def _look(self) -> Finding:
        from airflow_multicluster.hooks.cluster import find_cluster

        cluster = find_cluster(self.cluster)
        pool = self._get(cluster)
        if pool is None:
            return self._left(cluster)
        refuse_strange(pool, owner=self.owner, cluster_name=self.cluster)
        if pool.state is NodePoolState.DELETING:
            return Finding(status="waiting", text=f"{self._subject} is {pool.status}{_words(pool)}")
        return self._delete_again(pool)

    def _get(self, cluster: Cluster) -> NodePool | None:
        try:
            return cluster.node_pools().get(self.pool)
        except NodePoolNotFoundError:
            return None

    def _left(self, cluster: Cluster) -> Finding:
        pools = cluster.node_pools()
        machines = pools.instances(self.pool)
        if machines:
            return Finding(
                status="waiting", text=f"{self._subject} is gone, its machines are not: {', '.join(machines)}"
            )
        nodes = [node["metadata"]["name"] for node in list_nodes(cluster, pools.node_selector(self.pool))]
        if nodes:
            return Finding(status="waiting", text=f"{self._subject} is gone, its nodes are not: {', '.join(nodes)}")
        return Finding(status="done", text=f"{self._subject} is gone: 0 pools, 0 machines, 0 nodes")

    def _delete_again(self, pool: NodePool) -> Finding:
        state = f"{self._subject} is {pool.status}{_words(pool)}{self._refusal}"
        if self._asked >= self.asks:
            text = (
                f"{state}; deletion was asked for {self._asked} times more. It may still cost money: delete it by hand"
            )
            return Finding(status="failed", text=text)
        self._asked += 1
        try:
            delete_pool(cluster_name=self.cluster, name=self.pool, owner=self.owner)
        except NodePoolRefusedError as refusal:
            self._refusal = f" (refused: {refusal})"
        return Finding(status="waiting", text=f"{state}; asked for its deletion again ({self._asked} of {self.asks})")


def _words(pool: NodePool) -> str:
    """Return the cloud's own words about the pool, to be put behind its state."""
    return "".join(f"; {problem.code}: {problem.message}" for problem in pool.problems)
