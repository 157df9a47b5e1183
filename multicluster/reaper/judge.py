"""Judge what was found on one cluster; a pure function but for the question whether runs are alive."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from multicluster.node_pools.durations import hours
from multicluster.node_pools.lease import Lease
from multicluster.node_pools.leftover import Leftover, LeftoverKind
from multicluster.node_pools.pool import NodePool, NodePoolState
from multicluster.node_pools.reaping import Fate, ReapVerdict, RunState, causes, reaping
from multicluster.reaper.look import Sighting, StrayNode
from multicluster.reaper.plan import Act, Kind, Step

Runs = Callable[[Lease], RunState]
"""Says what became of the run that a lease's pool was made for."""
ACTS = {Fate.DELETE: Act.DELETE, Fate.LEAVE: Act.LEAVE, Fate.REPORT: Act.REPORT}


def not_asked(_lease: Lease) -> RunState:
    """Know nothing of runs: leases alone decide."""
    return RunState.NOT_ASKED


def verdict(pool: NodePool, *, now: datetime, grace: timedelta, runs: Runs) -> ReapVerdict:
    """Judge *pool*, with its run where it has a lease."""
    run = runs(pool.lease) if pool.lease else RunState.NOT_ASKED
    return reaping(pool, now=now, grace=grace, run=run)


def steps(sighting: Sighting, *, now: datetime, grace: timedelta, runs: Runs) -> Iterator[Step]:
    """Yield a step for everything that was found."""
    for pool in sighting.pools:
        yield _of_pool(sighting.cluster, pool, verdict(pool, now=now, grace=grace, runs=runs))
    for leftover in sighting.leftovers:
        yield _of_leftover(sighting.cluster, leftover, now=now, grace=grace)
    for node in sighting.nodes:
        yield _of_node(sighting.cluster, node)


def young(leftover: Leftover, *, now: datetime, grace: timedelta) -> bool:
    """Whether what is left may belong to a pool that is just being made: dead-man schedules are armed before it."""
    return leftover.since is None or now < leftover.since + grace


def _of_pool(cluster: str, pool: NodePool, judged: ReapVerdict) -> Step:
    act, problem = ACTS[judged.fate], ""
    if pool.lease is not None and pool.state is NodePoolState.FAILED:
        problem = f"{pool.status}: {causes(pool)}"
    return Step(
        cluster=cluster, kind=Kind.POOL, name=pool.name, act=act, reason=judged.reason, pool=pool, problem=problem
    )


def _of_leftover(cluster: str, leftover: Leftover, *, now: datetime, grace: timedelta) -> Step:
    act, reason = Act.LEAVE, f"pool {leftover.pool!r} is gone"
    since = f" since {hours(now - leftover.since)}" if leftover.since else ""
    if not leftover.ours:
        reason = f"{reason}, and nothing proves that it was ours"
    elif leftover.kind is LeftoverKind.INSTANCE:
        act, reason = Act.REPORT, f"{reason}, and this machine of it runs{since}; look at it, and terminate it by hand"
    elif young(leftover, now=now, grace=grace):
        reason = f"pool {leftover.pool!r} is not there, and may be about to be made"
    else:
        act, reason = Act.RELEASE, f"{reason}, and its dead-man schedule is left{since}"
    return Step(
        cluster=cluster, kind=Kind(leftover.kind.value), name=leftover.id, act=act, reason=reason, leftover=leftover
    )


def _of_node(cluster: str, node: StrayNode) -> Step:
    reason = f"its pool {node.pool!r} is gone, and so is its machine; delete the node (kubectl delete node {node.name})"
    if node.machines:
        reason = f"its pool {node.pool!r} is gone, and machines of it run: {', '.join(node.machines)}"
    return Step(cluster=cluster, kind=Kind.NODE, name=node.name, act=Act.REPORT, reason=reason)
