"""Judge whether a node pool is to be deleted because nobody will."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta

from multicluster.errors import NodePoolRefusedError
from multicluster.node_pools.durations import hours
from multicluster.node_pools.lease import GRACE, KEEP, LATE, Lease
from multicluster.node_pools.pool import NodePool, NodePoolState

UNDELETED = "DELETE_FAILED"
"""EKS' word for a pool whose deletion was asked for and did not come to its end; nothing else ever becomes of it."""


class RunState(enum.Enum):
    """What Airflow says of the run that a pool was made for."""

    ALIVE = "alive"
    DEAD = "dead"
    """Ended, or deleted."""
    UNKNOWN = "unknown"
    """It was asked, and could not say."""
    NOT_ASKED = "not asked"
    """There is nobody to ask, or the run is another deployment's."""


class Fate(enum.Enum):
    """What is to become of a pool."""

    DELETE = "delete"
    LEAVE = "leave"
    REPORT = "report"
    """Leave it, and tell a person, who must decide."""


@dataclass(frozen=True, kw_only=True)
class ReapVerdict:
    """A fate, and why, in words for the person who asks later."""

    fate: Fate
    reason: str


def refuse_short(grace: timedelta) -> None:
    """Raise NodePoolRefusedError for a grace in which a late renewal and the reaper could meet."""
    if grace < 2 * LATE:
        raise NodePoolRefusedError(
            f"a grace of {grace} is too short: a lease may be renewed until {LATE} after its expiry, "
            f"so the reaper waits for {2 * LATE} at least"
        )


def reaping(
    pool: NodePool, *, now: datetime, grace: timedelta = GRACE, run: RunState = RunState.NOT_ASKED
) -> ReapVerdict:
    """Judge *pool* at *now* (UTC); see ``refuse_short`` for what *grace* may be.

    A cordon of the cluster plays no part: what is out of use must go all the more.
    """
    if pool.lease is None:
        return _without_lease(pool)
    over = f"its lease is over for {hours(now - pool.lease.expires_at)}"
    if pool.keep:
        past = now >= pool.lease.expires_at + grace
        return _leave(f"a person keeps it (tag {KEEP}){f'; {over}' if past else ''}")
    if pool.state is NodePoolState.DELETING:
        return _leave("it is being deleted")
    if pool.status == UNDELETED and run is not RunState.ALIVE:
        return _delete(f"its deletion failed ({causes(pool)}); it is asked for again")
    return _by_lease(pool, pool.lease, now=now, grace=grace, run=run)


def causes(pool: NodePool) -> str:
    """Return the cloud's words for what is wrong with *pool*, with the next step where its kind knows one."""
    return "; ".join(f"{problem.code}: {problem.message}" for problem in pool.problems) or "the cloud does not say why"


def _by_lease(pool: NodePool, lease: Lease, *, now: datetime, grace: timedelta, run: RunState) -> ReapVerdict:
    born = born_at(pool)
    if born is not None and abs(now - born) < grace:  # a birth far in the future is nobody's clock, but a wrong label
        since = "it was made" if pool.created_at else "its lease was written"
        return _leave(f"{since} {hours(now - born)} ago, less than the grace of {hours(grace)}")
    end = lease.ends_at or lease.expires_at
    if now >= end + grace:
        return _delete(f"it was to end {hours(now - end)} ago, whatever its run does")
    left = f"its lease lasts {hours(lease.expires_at - now)} more"
    if now >= lease.expires_at:
        left = f"its lease is over for {hours(now - lease.expires_at)}"
    if run is RunState.ALIVE:
        return _leave(f"its run is alive; {left}, its end comes in {hours(end - now)}")
    if run is RunState.DEAD and born is not None:
        return _delete(f"its run has ended; {left}")
    if now >= lease.expires_at + grace:
        return _delete(f"{left}, and nobody renewed it (run: {run.value})")
    return _leave(f"{left}{'' if now < lease.expires_at else f', less than the grace of {hours(grace)}'}")


def born_at(pool: NodePool) -> datetime | None:
    """Return when *pool* was made, or a moment not before that; None when there is no telling.

    GKE does not say. A lease is written for a term, so that it was written, and the pool there, a term before its end.
    """
    if pool.created_at is not None or pool.lease is None or pool.lease.term is None:
        return pool.created_at
    return pool.lease.expires_at - pool.lease.term


def _without_lease(pool: NodePool) -> ReapVerdict:
    if pool.claimed:
        return ReapVerdict(
            fate=Fate.REPORT,
            reason="its tags say that it is ours, and no lease can be read from them; find out who changed them, "
            "and delete it by hand (multicluster pools delete --not-ours)",
        )
    return _leave("not ours: it has no lease")


def _leave(reason: str) -> ReapVerdict:
    return ReapVerdict(fate=Fate.LEAVE, reason=reason)


def _delete(reason: str) -> ReapVerdict:
    return ReapVerdict(fate=Fate.DELETE, reason=reason)
