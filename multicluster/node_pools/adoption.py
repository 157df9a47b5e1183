"""Decide what becomes of a pool that is there already when it is to be created."""

from __future__ import annotations

import enum
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from multicluster.errors import NodePoolBusyError, NodePoolConflictError, NodePoolNotFoundError
from multicluster.node_pools.lease import KEEP, Lease
from multicluster.node_pools.pool import NodePool, NodePoolState
from multicluster.node_pools.renewal import lost, renewed


class Adoption(enum.Enum):
    """What to do with an existing pool of the same owner."""

    KEEP = "keep"
    """It is what was asked for."""
    REMAKE = "remake"
    """It failed: its deletion must be asked for, and it is made again once it is gone."""


def adopt(pool: NodePool, lease: Lease) -> Adoption:
    """Judge an existing *pool* that *lease*'s owner asks for.

    Raises NodePoolConflictError for another owner's pool or a stranger's, NodePoolBusyError while ours is going away.
    """
    refuse_another(pool, lease)
    if pool.state is NodePoolState.DELETING:
        raise NodePoolBusyError(
            f"node pool {pool.name!r} of the same owner is being deleted; ask again once it is gone"
        )
    return Adoption.REMAKE if pool.state is NodePoolState.FAILED else Adoption.KEEP


def refuse_another(pool: NodePool, lease: Lease) -> Lease:
    """Return the lease of *pool*. Raises NodePoolConflictError unless it is of *lease*'s owner."""
    if pool.lease is None:
        raise NodePoolConflictError(
            f"node pool {pool.name!r} exists and has no lease of ours, so it is left alone; "
            "delete it by hand, or choose another name"
        )
    if pool.lease.owner != lease.owner:
        raise NodePoolConflictError(
            f"node pool {pool.name!r} exists and belongs to owner {pool.lease.owner}, not to {lease.owner} "
            f"(its lease ends {pool.lease.expires_at:%Y-%m-%d %H:%M:%S} UTC)"
        )
    return pool.lease


def take_over(
    pool: NodePool,
    lease: Lease,
    *,
    now: datetime,
    delete: Callable[[str], None],
    renew: Callable[[str, Lease], None],
) -> NodePool:
    """Return an existing *pool* that is what *lease*'s owner asks for, its own lease renewed; its end stays.

    A failed one, or one whose lease is over, is deleted, and NodePoolBusyError raised. A cloud that is busy is asked
    again by a later renewal, while half of the lease is left. Raises NodePoolConflictError for one to be deleted that a
    person keeps, and what ``adopt``, *delete* and *renew* raise.
    """
    own = refuse_another(pool, lease)
    if adopt(pool, lease) is Adoption.KEEP and not _over(own, now):
        again = renewed(own, now.replace(microsecond=0), share=1) or own
        try:
            renew(pool.name, again)
        except NodePoolBusyError:
            if renewed(own, now):
                raise
            return pool
        return replace(pool, lease=again)
    if pool.keep:
        raise NodePoolConflictError(
            f"node pool {pool.name!r} of the same owner {_why(pool)}, and a person keeps it (tag {KEEP}), so it is not "
            "made again; delete it by hand, or take the tag off and clear this task"
        )
    with suppress(NodePoolNotFoundError):  # it went away by itself: the next create finds its name free
        delete(pool.name)
    raise being_remade(pool)


def _over(lease: Lease, now: datetime) -> bool:
    return lost(lease, now) or (lease.ends_at is not None and lease.ends_at <= now)


def being_remade(pool: NodePool) -> NodePoolBusyError:
    """Return the error that says a pool is being deleted, to be made again by the same call later."""
    return NodePoolBusyError(
        f"node pool {pool.name!r} of the same owner {_why(pool)}; its deletion was asked for, ask again to have it "
        "made anew"
    )


def _why(pool: NodePool) -> str:
    if pool.state is not NodePoolState.FAILED and pool.lease:
        return f"is past its lease, which ended {pool.lease.expires_at:%Y-%m-%d %H:%M:%S} UTC"
    words = "".join(f"; {problem.code}: {problem.message}" for problem in pool.problems)
    return f"failed ({pool.status}{words})"
