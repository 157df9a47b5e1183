"""Delete a bracket's pool, and nobody else's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from multicluster.brackets.place import Place, refuse_elsewhere
from multicluster.errors import NodePoolConflictError, NodePoolNotFoundError
from multicluster.node_pools.lease import KEEP

if TYPE_CHECKING:
    from multicluster.node_pools.lease import Lease
    from multicluster.node_pools.pool import NodePool
    from multicluster.registry.cluster import Cluster


def delete_pool(cluster: Cluster, place: Place) -> bool:
    """Ask for the deletion of the owner's pool; False when it is not there.

    Another's raises NodePoolConflictError, and so does one that a person keeps.

    The lease on the pool is the guard. The cluster's own API server is not asked, so that a pin that no longer holds,
    or a server that does not answer, keeps no pool alive.
    """
    refuse_elsewhere(cluster, asked_for=place.address, pool=place.pool)
    pools = cluster.node_pools()
    try:
        pool = pools.get(place.pool)
        refuse_strange(pool, owner=place.owner, cluster_name=place.cluster)
        refuse_kept(pool, cluster_name=place.cluster)
        pools.delete(place.pool)
    except NodePoolNotFoundError:
        return False
    return True


def refuse_kept(pool: NodePool, *, cluster_name: str) -> None:
    """Raise NodePoolConflictError for a pool that a person keeps."""
    if pool.keep:
        raise NodePoolConflictError(
            f"node pool {pool.name!r} on cluster {cluster_name!r} is kept by a person (tag {KEEP}), so it is left "
            "alone; delete it by hand, or take the tag off and clear this task"
        )


def refuse_strange(pool: NodePool, *, owner: str, cluster_name: str) -> Lease:
    """Return *pool*'s lease. Raises NodePoolConflictError unless it is *owner*'s."""
    if pool.lease is None or pool.lease.owner != owner:
        whose = f"owner {pool.lease.owner}" if pool.lease else "nobody we know (its lease tags are missing)"
        raise NodePoolConflictError(
            f"node pool {pool.name!r} on cluster {cluster_name!r} belongs to {whose}, not to {owner}; it is left alone"
        )
    return pool.lease
