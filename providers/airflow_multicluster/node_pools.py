"""Ask for node pools by name, with what is checked before a cloud is asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from airflow_multicluster.hooks.cluster import find_cluster
from airflow_multicluster.place import Place, refuse_elsewhere
from multicluster.errors import NodePoolConflictError, NodePoolNotFoundError, NodePoolRefusedError
from multicluster.node_pools.lease import Lease
from multicluster.node_pools.limits import refuse_beyond
from multicluster.node_pools.pool import NodePoolSpec

if TYPE_CHECKING:
    from multicluster.node_pools.pool import NodePool

A_DAY = timedelta(days=1)


def request_pool(
    *, cluster_name: str, profile_name: str, name: str, owner: str, size: int, max_lifetime: timedelta | None
) -> NodePool:
    """Ask the cluster's cloud for a pool. Raises ClusterCordonedError, ClusterIdentityError and NodePoolError."""
    cluster = find_cluster(cluster_name)
    now = datetime.now(UTC)
    cluster.refuse_if_cordoned(now)
    limits = cluster.limits
    seconds = limits.max_lifetime_seconds or A_DAY.total_seconds()
    if max_lifetime is not None:
        seconds = max_lifetime.total_seconds()
    if seconds <= 0:
        raise NodePoolRefusedError(f"node pool {name!r}: max_lifetime is {max_lifetime}; a lease must last a while")
    spec = NodePoolSpec(name=name, size=size, profile=cluster.profile(profile_name), max_lifetime_seconds=int(seconds))
    cluster.check_identity()
    pools = cluster.node_pools()
    counted = limits.pools is not None or limits.nodes is not None
    refuse_beyond(limits, pools.list() if counted else (), spec, lifetime_seconds=seconds)
    return pools.create(spec, Lease(owner=owner, expires_at=now + timedelta(seconds=seconds)))


def delete_pool(place: Place) -> bool:
    """Ask for the deletion of the owner's pool; False when it is not there. Another's raises NodePoolConflictError.

    The lease on the pool is the guard. The cluster's own API server is not asked, so that a pin that no longer holds,
    or a server that does not answer, keeps no pool alive.
    """
    cluster = find_cluster(place.cluster)
    refuse_elsewhere(cluster, asked_for=place.address, pool=place.pool)
    pools = cluster.node_pools()
    try:
        refuse_strange(pools.get(place.pool), owner=place.owner, cluster_name=place.cluster)
        pools.delete(place.pool)
    except NodePoolNotFoundError:
        return False
    return True


def refuse_strange(pool: NodePool, *, owner: str, cluster_name: str) -> None:
    """Raise NodePoolConflictError unless *pool*'s lease is *owner*'s."""
    if pool.lease is None or pool.lease.owner != owner:
        whose = f"owner {pool.lease.owner}" if pool.lease else "nobody we know (its lease tags are missing)"
        raise NodePoolConflictError(
            f"node pool {pool.name!r} on cluster {cluster_name!r} belongs to {whose}, not to {owner}; it is left alone"
        )
