"""What was found, what is to become of it, and what did."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta

from multicluster.node_pools.leftover import Leftover
from multicluster.node_pools.pool import NodePool


class Act(enum.Enum):
    """What is to be done."""

    DELETE = "delete"
    """Ask the cloud to delete a pool of ours."""
    RELEASE = "release"
    """Take away the dead-man schedule of a pool that is gone."""
    REPORT = "report"
    """A person must look: it may cost money, and it is not ours to delete by rule."""
    LEAVE = "leave"


class Kind(enum.Enum):
    """What a step is about."""

    POOL = "pool"
    INSTANCE = "instance"
    SCHEDULE = "schedule"
    NODE = "node"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing on one cluster, what is to become of it, and why."""

    cluster: str
    kind: Kind
    name: str
    """The pool's name, the machine's id, the schedule's or the node's name."""
    act: Act
    reason: str
    pool: NodePool | None = None
    """As the cloud described it, where it is a pool."""
    leftover: Leftover | None = None
    problem: str = ""
    """The cloud's status and words for a pool of ours that failed, and the next step."""

    @property
    def ours(self) -> bool:
        """Whether it is a pool with a lease of ours."""
        return self.pool is not None and self.pool.lease is not None

    def overstay(self, now: datetime) -> timedelta:
        """Return for how long the pool outlived its lease; 0 for everything else."""
        if self.pool is None or self.pool.lease is None:
            return timedelta()
        return max(now - self.pool.lease.expires_at, timedelta())


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """What kept us from looking at a cluster, or at a part of it, or from acting there."""

    cluster: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What was found at one moment on all clusters, in the order in which it is to be carried out."""

    made_at: datetime
    clusters: tuple[str, ...]
    """Those that were looked at, or could not be."""
    steps: tuple[Step, ...]
    troubles: tuple[Trouble, ...] = ()

    def of(self, *acts: Act) -> tuple[Step, ...]:
        """Return the steps of *acts*."""
        return tuple(step for step in self.steps if step.act in acts)

    @property
    def ours(self) -> tuple[Step, ...]:
        """The steps about pools with a lease of ours, whatever is to become of them."""
        return tuple(step for step in self.steps if step.ours)

    @property
    def overstay(self) -> timedelta:
        """For how long the latest of our pools has outlived its lease; 0 when none has."""
        return max((step.overstay(self.made_at) for step in self.steps), default=timedelta())

    @property
    def clean(self) -> bool:
        """Whether there is nothing to do or to look into, and every cluster could be looked at."""
        return not self.troubles and not self.of(Act.DELETE, Act.RELEASE, Act.REPORT)


class Result(enum.Enum):
    """What came of a step."""

    DONE = "done"
    """The cloud was asked, and accepted; or it was gone already."""
    LEFT = "left"
    """Looked at again, it was not to be touched any more."""
    BUSY = "busy"
    """The cloud will not yet; the next run asks again."""
    FAILED = "failed"
    LIMITED = "limited"
    """As many were deleted in this run as it may; the next run goes on."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A step, and what came of it."""

    step: Step
    result: Result
    reason: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """What came of a plan."""

    plan: Plan
    outcomes: tuple[Outcome, ...]
    troubles: tuple[Trouble, ...] = ()
    """Those of the plan, and those met while it was carried out."""

    def of(self, *results: Result) -> tuple[Outcome, ...]:
        """Return the outcomes of *results*."""
        return tuple(one for one in self.outcomes if one.result in results)

    @property
    def deleted(self) -> tuple[Step, ...]:
        """The pools whose deletion a cloud took."""
        return tuple(one.step for one in self.of(Result.DONE) if one.step.act is Act.DELETE)

    @property
    def clean(self) -> bool:
        """Whether nothing is left that should not be there, and every cluster could be looked at."""
        undone = self.of(Result.BUSY, Result.FAILED, Result.LIMITED)
        return not undone and not self.troubles and not self.plan.of(Act.REPORT)
