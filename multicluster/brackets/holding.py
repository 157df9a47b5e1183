"""Judge what becomes of a pool's lease while somebody waits for its work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from multicluster.brackets.deletion import refuse_strange
from multicluster.errors import MulticlusterError, NodePoolConflictError
from multicluster.node_pools.lease import LATE, Lease
from multicluster.node_pools.pool import NodePool, NodePoolState
from multicluster.node_pools.renewal import lost, renewed

if TYPE_CHECKING:
    from multicluster.brackets.place import Place
    from multicluster.node_pools.protocol import NodePools


@dataclass(frozen=True, kw_only=True)
class Holding:
    """A verdict on a pool's lease."""

    lease: Lease | None = None
    """The lease that holds; None when it is lost."""
    renewal: Lease | None = None
    """What is to be written in its place; None when that is not due."""
    why_lost: str = ""
    """Why the pool can no longer be counted on."""


def holding(pool: NodePool | None, place: Place, now: datetime, *, share: float) -> Holding:
    """Judge whether *place*'s owner still holds *pool*, and whether its lease is to be renewed.

    *pool* is None where the cloud knows none of its name.
    """
    if pool is None:
        return Holding(why_lost=_about(place, "is gone"))
    if pool.state is NodePoolState.DELETING:
        return Holding(why_lost=_about(place, "is being deleted"))
    try:
        lease = refuse_strange(pool, owner=place.owner, cluster_name=place.cluster)
    except NodePoolConflictError as error:
        return Holding(why_lost=str(error))
    if lost(lease, now):
        expiry = f"its lease was over at {_moment(lease.expires_at)}, and now it is {_moment(now)} here"
        return Holding(why_lost=_about(place, f"is lost: {expiry}; it will be deleted"))
    return Holding(lease=lease, renewal=renewed(lease, now, share=share))


def due_at(lease: Lease, *, share: float) -> datetime:
    """Return when to look at *lease* again: when less than *share* of its term is left, else when it is lost."""
    if lease.term is None or lease.ends_at is None or lease.expires_at >= lease.ends_at:
        return lease.expires_at + LATE
    return lease.expires_at - lease.term * share


def in_words(pools: NodePools, place: Place, lease: Lease, *, again: bool = False) -> str:
    """Say until when the pool is leased, and when the cloud ends it by itself, for which the cloud is asked."""
    end = f", at most until {_moment(lease.ends_at)}" if lease.ends_at else ""
    until = f"leased until {_moment(lease.expires_at)}{' (renewed)' if again else ''}{end}"
    try:
        armed = pools.armed(place.pool)
    except MulticlusterError as error:
        switch = f"when the cloud ends it by itself is not known now: {error}"
    else:
        switch = f"the cloud ends it by itself at {_moment(armed)}" if armed else "the cloud does not end it by itself"
    return _about(place, f"is {until}; {switch}")


def _about(place: Place, what: str) -> str:
    return f"node pool {place.pool!r} on cluster {place.cluster!r} {what}"


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
