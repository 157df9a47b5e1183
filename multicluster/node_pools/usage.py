"""Reckon what a node pool has used so far: GPU-hours, and about how much money."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from multicluster.node_pools.pool import NodePool
from multicluster.node_pools.prices import Prices
from multicluster.node_pools.profile import NodePoolProfile

HOUR = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What is known; None for what is not, since no figure is better than a wrong one."""

    age: timedelta | None = None
    gpus_per_node: int | None = None
    gpu_hours: float | None = None
    """Nodes x GPUs per node x age: what was there to be used and is paid for, used or not."""
    usd: float | None = None
    price_date: str | None = None


def usage(
    pool: NodePool,
    *,
    kind: str,
    region: str | None,
    profiles: Iterable[NodePoolProfile],
    prices: Prices,
    now: datetime,
) -> Usage:
    """Reckon with *pool*'s size as if it had had it all its life.

    Money is told only where the price is that of the pool: all of the cluster's *profiles* that name its machine type
    are on demand and name no other type, and the table knows the region.
    """
    age = max(now - pool.created_at, timedelta()) if pool.created_at else None
    made_of = [profile for profile in profiles if pool.machine_type in profile.instance_types]
    gpus = _gpus_per_node(pool.machine_type, made_of, kind=kind, prices=prices)
    if age is None or pool.size is None:
        return Usage(age=age, gpus_per_node=gpus)
    node_hours = pool.size * (age / HOUR)
    price = None
    if pool.machine_type and region and made_of and all(map(_of_one_price, made_of)):
        price = prices.price(kind, region, pool.machine_type)
    return Usage(
        age=age,
        gpus_per_node=gpus,
        gpu_hours=None if gpus is None else node_hours * gpus,
        usd=node_hours * price.usd_per_hour if price else None,
        price_date=price.date if price else None,
    )


def _gpus_per_node(
    machine_type: str | None, made_of: list[NodePoolProfile], *, kind: str, prices: Prices
) -> int | None:
    """Count by the table of machines; what a profile calls one may be a slice of a GPU."""
    types = [name for profile in made_of for name in profile.instance_types] or [machine_type or ""]
    known = {prices.gpus_per_node(kind, name) for name in types}
    if len(known) == 1 and None not in known:
        return known.pop()
    told = {profile.gpu.per_node if profile.gpu else 0 for profile in made_of}
    return told.pop() if len(told) == 1 else None


def _of_one_price(profile: NodePoolProfile) -> bool:
    return profile.capacity_type == "on-demand" and len(profile.instance_types) == 1
