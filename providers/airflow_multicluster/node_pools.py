"""Ask for node pools by name, with what is checked before a cloud is asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from airflow_multicluster.hooks.cluster import find_cluster
from multicluster.errors import NodePoolConflictError, NodePoolLimitError, NodePoolNotFoundError
from multicluster.node_pools.lease import Lease
from multicluster.node_pools.pool import NodePoolSpec

if TYPE_CHECKING:
    from multicluster import Cluster
    from multicluster.node_pools.pool import NodePool

A_DAY = timedelta(days=1)


def request_pool(
    *, cluster_name: str, profile_name: str, name: str, owner: str, size: int, max_lifetime: timedelta | None
) -> NodePool:
    """Ask the cluster's cloud for a pool. Raises ClusterCordonedError, ClusterIdentityError and NodePoolError."""
    cluster = find_cluster(cluster_name)
    now = datetime.now(UTC)
    cluster.refuse_if_cordoned(now)
    profile = cluster.profile(profile_name)
    lifetime = _lifetime(cluster, max_lifetime)
    cluster.check_identity()
    _keep_limits(cluster, name=name, size=size)
    spec = NodePoolSpec(name=name, size=size, profile=profile, max_lifetime_seconds=int(lifetime.total_seconds()))
    return cluster.node_pools().create(spec, Lease(owner=owner, expires_at=now + lifetime))


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


def _lifetime(cluster: Cluster, asked: timedelta | None) -> timedelta:
    limit = cluster.limits.max_lifetime_seconds
    most = timedelta(seconds=limit) if limit is not None else None
    if asked is None:
        return most or A_DAY
    if most is not None and asked > most:
        raise NodePoolLimitError(
            f"max_lifetime={asked} is more than the {most} that the registry allows on cluster {cluster.name!r}"
        )
    return asked


def _keep_limits(cluster: Cluster, *, name: str, size: int) -> None:
    limits = cluster.limits
    if limits.pools is None and limits.nodes is None:
        return
    others = [pool for pool in cluster.node_pools().list() if pool.lease is not None and pool.name != name]
    pools, nodes = len(others) + 1, sum(pool.size or 0 for pool in others) + size
    for count, limit, what in ((pools, limits.pools, "pools"), (nodes, limits.nodes, "nodes")):
        if limit is not None and count > limit:
            raise NodePoolLimitError(
                f"node pool {name!r} would make {count} {what} of ours on cluster {cluster.name!r}; the registry's "
                f"limit is {limit}. There are: {', '.join(pool.name for pool in others) or 'none'}"
            )
