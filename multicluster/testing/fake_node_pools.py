"""Node pools in memory, under a fake clock, with the contract of the real ones (tests/conformance/node_pools)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from multicluster.access.clock import Clock
from multicluster.errors import CloudUnavailableError, NodePoolBusyError, NodePoolError, NodePoolNotFoundError
from multicluster.node_pools.adoption import refuse_another, take_over
from multicluster.node_pools.lease import GRACE, KEEP, MANAGED_BY, MANAGER, Lease
from multicluster.node_pools.leftover import Leftover, LeftoverKind
from multicluster.node_pools.node_facts import NodeFacts, TaintFact
from multicluster.node_pools.pool import NodePool, NodePoolSpec, NodePoolState, Problem

LABEL = "fake.multicluster.dev/pool"
STARTING = TaintFact(key="node.cloudprovider.kubernetes.io/uninitialized", value="true")


@dataclass(frozen=True, kw_only=True)
class Pace:
    """Seconds from the create call on; ``gone`` is counted from the delete call."""

    launched: float = 30
    ready: float = 60
    active: float = 90
    gpus: float = 120
    gone: float = 300


@dataclass(kw_only=True)
class _Kept:
    spec: NodePoolSpec
    labels: dict[str, str]
    """The lease, as a cloud keeps it."""
    created_at: datetime
    number: int
    deleted_at: datetime | None = None
    failure: Problem | None = None
    problems: list[Problem] = field(default_factory=list)


class FakeNodePools:
    """Keeps pools; state follows from the clock alone. Set ``failure``, ``shortage`` and the like to make it fail."""

    def __init__(self, *, clock: Clock, pace: Pace | None = None) -> None:
        self._clock = clock
        self._pace = pace or Pace()
        self._pools: dict[str, _Kept] = {}
        self._armed: dict[str, datetime] = {}
        self._numbers = itertools.count(1)
        self.failure: Problem | None = None
        """Pools made from now on fail with it."""
        self.shortage: Problem | None = None
        """Pools made from now on get no machines, and report it while they wait."""
        self.deletion_failures: list[Problem] = []
        """Each next deletion that is due ends in failure with one of these."""
        self.answers_lost = 0
        """So many next create calls are done and then seem to fail."""
        self.refusals: list[NodePoolError] = []
        """Each next call raises one of these and does nothing."""
        self.asked: list[tuple[str, str]] = []
        """Verbs and names, in the order they were called."""

    def create(self, spec: NodePoolSpec, lease: Lease) -> NodePool:
        """Ask for a pool."""
        self._begin("create", spec.name)
        there = self._pools.get(spec.name)
        if there is not None:
            return take_over(self._view(there), lease, now=self._clock(), delete=self._end, renew=self._write)
        self._armed[spec.name] = lease.expires_at + GRACE
        made = self._make(spec, lease)
        if self.answers_lost:
            self.answers_lost -= 1
            raise CloudUnavailableError(f"create {spec.name}: the connection was lost before an answer came")
        return self._view(made)

    def get(self, name: str) -> NodePool:
        """Describe a pool."""
        self._begin("get", name)
        return self._view(self._find(name))

    def fill(self, name: str) -> NodePool:
        """Describe a pool; it is made with its nodes."""
        self._begin("fill", name)
        return self._view(self._find(name))

    def list(self) -> Iterator[NodePool]:
        """Yield every pool."""
        self._begin("list", "")
        yield from [self._view(kept) for kept in self._pools.values()]

    def delete(self, name: str) -> None:
        """Ask for deletion; a pool that is being made cannot be deleted yet."""
        self._begin("delete", name)
        self._end(name)

    def instances(self, name: str) -> tuple[str, ...]:
        """Return the ids of the machines that exist."""
        self._begin("instances", name)
        kept = self._pools.get(name)
        return self._machines(kept) if kept else ()

    def renew(self, name: str, lease: Lease) -> None:
        """Write the lease anew, and move the dead-man switch."""
        self._begin("renew", name)
        self._write(name, lease)

    def armed(self, name: str) -> datetime | None:
        """Return when the dead-man switch fires: GRACE after the lease's expiry, until it is released."""
        self._begin("armed", name)
        return self._armed.get(name)

    def release(self, name: str) -> None:
        """Take the dead-man switch of a pool that is gone away."""
        self._begin("release", name)
        if name in self._pools:
            raise NodePoolBusyError(f"node pool {name!r} is still there, so its dead-man switch stays")
        self._armed.pop(name, None)

    def leftovers(self) -> Iterator[Leftover]:
        """Yield the switches of pools that are gone."""
        self._begin("leftovers", "")
        for name in sorted(set(self._armed) - set(self._pools)):
            yield Leftover(kind=LeftoverKind.SCHEDULE, id=name, pool=name, ours=True)

    def node_selector(self, name: str) -> tuple[str, str]:
        """Return the label of the pool's nodes."""
        return LABEL, name

    def nodes(self, name: str) -> tuple[NodeFacts, ...]:
        """Return the pool's nodes as a cluster would show them: registered, then Ready, then with GPUs."""
        kept = self._pools.get(name)
        if kept is None:
            return ()
        gpu, age = kept.spec.profile.gpu, self._age(kept)
        ready = age >= self._pace.ready
        offered = gpu.per_node if gpu and age >= self._pace.gpus else 0
        own = tuple(
            TaintFact(key=one.key, value=one.value, effect=one.effect) for one in kept.spec.profile.effective_taints()
        )
        return tuple(
            NodeFacts(
                name=f"node-{machine}",
                labels={**kept.spec.profile.labels, LABEL: name},
                ready=ready,
                taints=own if ready else (*own, STARTING),
                allocatable={gpu.resource: str(offered)} if gpu else {},
                deleting=kept.deleted_at is not None,
                created_at=kept.created_at,
            )
            for machine in self._machines(kept)
        )

    def add_strange(self, spec: NodePoolSpec) -> None:
        """Put a pool there that somebody else made, without a lease."""
        self._make(spec, None)

    def label(self, name: str, **labels: str) -> None:
        """Put labels on a pool as a person would, with ``_`` for ``-`` in their keys."""
        self._find(name).labels |= {key.replace("_", "-"): value for key, value in labels.items()}

    def _begin(self, verb: str, name: str) -> None:
        self.asked.append((verb, name))
        self._settle_deletions()
        if self.refusals:
            raise self.refusals.pop(0)

    def _write(self, name: str, lease: Lease) -> None:
        kept = self._find(name)
        refuse_another(self._view(kept), lease)
        self._armed[name] = lease.expires_at + GRACE
        kept.labels |= lease.to_labels()

    def _end(self, name: str) -> None:
        kept = self._find(name)
        state = self._view(kept).state
        if state is NodePoolState.PENDING:
            raise NodePoolBusyError(f"node pool {name!r} is being made; ask again")
        if state is not NodePoolState.DELETING:
            kept.deleted_at, kept.failure = self._clock(), None

    def _make(self, spec: NodePoolSpec, lease: Lease | None) -> _Kept:
        labels = lease.to_labels() if lease else {}
        number = next(self._numbers)
        kept = _Kept(spec=spec, labels=labels, created_at=self._clock(), number=number, failure=self.failure)
        if self.shortage:
            kept.problems.append(self.shortage)
        self._pools[spec.name] = kept
        return kept

    def _find(self, name: str) -> _Kept:
        if name not in self._pools:
            raise NodePoolNotFoundError(f"no node pool named {name!r}")
        return self._pools[name]

    def _settle_deletions(self) -> None:
        for name, kept in list(self._pools.items()):
            if kept.deleted_at is None or (self._clock() - kept.deleted_at).total_seconds() < self._pace.gone:
                continue
            if self.deletion_failures:
                kept.failure, kept.deleted_at = self.deletion_failures.pop(0), None
            else:
                del self._pools[name]

    def _age(self, kept: _Kept) -> float:
        return (self._clock() - kept.created_at).total_seconds()

    def _machines(self, kept: _Kept) -> tuple[str, ...]:
        if kept.problems or self._age(kept) < self._pace.launched:
            return ()
        return tuple(f"i-{kept.number:04d}{index:02d}" for index in range(kept.spec.size))

    def _view(self, kept: _Kept) -> NodePool:
        state, status = self._state(kept)
        failure = (kept.failure,) if kept.failure and state is NodePoolState.FAILED else ()
        return NodePool(
            name=kept.spec.name,
            state=state,
            status=status,
            created_at=kept.created_at,
            size=kept.spec.size,
            node_selector=self.node_selector(kept.spec.name),
            lease=Lease.from_labels(kept.labels),
            claimed=kept.labels.get(MANAGED_BY) == MANAGER,
            keep=KEEP in kept.labels,
            machine_type=kept.spec.profile.instance_types[0],
            problems=(*failure, *kept.problems),
        )

    def _state(self, kept: _Kept) -> tuple[NodePoolState, str]:
        if kept.deleted_at is not None:
            return NodePoolState.DELETING, "DELETING"
        if kept.failure and self._age(kept) >= self._pace.launched:
            return NodePoolState.FAILED, "FAILED"
        if kept.problems or self._age(kept) < self._pace.active:
            return NodePoolState.PENDING, "CREATING"
        return NodePoolState.ACTIVE, "ACTIVE"
