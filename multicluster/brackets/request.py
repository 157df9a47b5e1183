"""Ask for a node pool, with what is checked before a cloud is asked."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from multicluster.access.clock import Clock, system_clock
from multicluster.errors import NodePoolRefusedError
from multicluster.node_pools.lease import AN_HOUR, LONGEST, Lease
from multicluster.node_pools.limits import refuse_beyond
from multicluster.node_pools.pool import NodePoolSpec

if TYPE_CHECKING:
    from multicluster.node_pools.origin import Origin
    from multicluster.node_pools.pool import NodePool
    from multicluster.registry.cluster import Cluster

A_DAY = timedelta(days=1)


def request_pool(
    cluster: Cluster,
    *,
    profile_name: str,
    name: str,
    origin: Origin,
    size: int,
    max_lifetime: timedelta | None = None,
    term: timedelta = AN_HOUR,
    clock: Clock = system_clock,
) -> NodePool:
    """Ask the cluster's cloud for a pool whose lease lasts a *term*, and may be renewed until *max_lifetime* is over.

    *max_lifetime* is by default, and at most, the registry's ``limits.maxLifetimeSeconds``, else a day.
    Raises ClusterCordonedError, ClusterIdentityError and NodePoolError.
    """
    now = clock()
    cluster.refuse_if_cordoned(now)
    limits = cluster.limits
    allowed = timedelta(seconds=min(limits.max_lifetime_seconds or 0, LONGEST.total_seconds()))
    lifetime = max_lifetime if max_lifetime is not None else allowed or A_DAY
    if not timedelta() < lifetime <= LONGEST or term <= timedelta():
        raise NodePoolRefusedError(
            f"node pool {name!r}: max_lifetime is {lifetime}, a lease's term {term}; both must last a while, "
            f"and max_lifetime {LONGEST.days} days at most"
        )
    if size < 1:
        raise NodePoolRefusedError(f"node pool {name!r}: it is to have {size} nodes; one is the least")
    seconds = lifetime.total_seconds()
    spec = NodePoolSpec(name=name, size=size, profile=cluster.profile(profile_name), max_lifetime_seconds=int(seconds))
    cluster.check_identity()
    pools = cluster.node_pools()
    counted = limits.pools is not None or limits.nodes is not None
    refuse_beyond(limits, pools.list() if counted else (), spec, lifetime_seconds=seconds)
    ends_at = now + lifetime
    lease = Lease(
        owner=origin.owner,
        expires_at=now + min(term, lifetime),
        ends_at=ends_at,
        term=min(term, lifetime),
        origin=origin,
    )
    return pools.create(spec, lease)
