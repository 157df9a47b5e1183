"""Decide what becomes of a pool that is there already when it is to be created."""

from __future__ import annotations

import enum
from collections.abc import Callable
from contextlib import suppress

from multicluster.errors import NodePoolBusyError, NodePoolConflictError, NodePoolNotFoundError
from multicluster.node_pools.lease import Lease
from multicluster.node_pools.pool import NodePool, NodePoolState


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
    if pool.state is NodePoolState.DELETING:
        raise NodePoolBusyError(
            f"node pool {pool.name!r} of the same owner is being deleted; ask again once it is gone"
        )
    return Adoption.REMAKE if pool.state is NodePoolState.FAILED else Adoption.KEEP


def take_over(pool: NodePool, lease: Lease, *, delete: Callable[[str], None]) -> NodePool:
    """Return an existing *pool* that is what *lease*'s owner asks for; have *delete* ask for the end of a failed one.

    Raises NodePoolBusyError for the failed one, and what ``adopt`` and *delete* raise.
    """
    if adopt(pool, lease) is Adoption.KEEP:
        return pool
    with suppress(NodePoolNotFoundError):  # it went away by itself: the next create finds its name free
        delete(pool.name)
    raise being_remade(pool)


def being_remade(pool: NodePool) -> NodePoolBusyError:
    """Return the error that says a failed pool is being deleted, to be made again by the same call later."""
    words = "".join(f"; {problem.code}: {problem.message}" for problem in pool.problems)
    return NodePoolBusyError(
        f"node pool {pool.name!r} of the same owner failed ({pool.status}{words}); its deletion was asked for, "
        "ask again to have it made anew"
    )
