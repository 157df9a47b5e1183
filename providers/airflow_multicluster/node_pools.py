"""Ask for node pools by name, with what is checked before a cloud is asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from airflow_multicluster.hooks.cluster import find_cluster
from multicluster.errors import NodePoolConflictError, NodePoolNotFoundError
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
    seconds = max_lifetime.total_seconds() if max_lifetime else limits.max_lifetime_seconds or A_DAY.total_seconds()
    spec = NodePoolSpec(name=name, size=size, profile=cluster.profile(profile_name), max_lifetime_seconds=int(seconds))
    cluster.check_identity()
    pools = cluster.node_pools()
    counted = limits.pools is not None or limits.nodes is not None
    refuse_beyond(limits, pools.list() if counted else (), spec, lifetime_seconds=seconds)
    return pools.create(spec, Lease(owner=owner, expires_at=now + timedelta(seconds=seconds)))


def delete_pool(*, cluster_name: str, name: str, owner: str) -> bool:
    """Ask for the deletion of *owner*'s pool; False when it is not there. Another's raises NodePoolConflictError."""
    cluster = find_cluster(cluster_name)
    cluster.check_identity()
    pools = cluster.node_pools()
    try:
        refuse_strange(pools.get(name), owner=owner, cluster_name=cluster_name)
        pools.delete(name)
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
