"""A node pool: what is asked for, and what the cloud reports."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime

from multicluster.node_pools.lease import Lease
from multicluster.node_pools.profile import NodePoolProfile


@dataclass(frozen=True, kw_only=True)
class NodePoolSpec:
    """The machines that are wanted: *size* nodes of *profile* under *name* (see naming.pool_name)."""

    name: str
    size: int
    profile: NodePoolProfile
    max_lifetime_seconds: int | None = None
    """Where the cloud can end nodes by itself (GKE maxRunDuration), it does so after this many seconds."""


class NodePoolState(enum.Enum):
    """The states that matter to a caller, whichever word the cloud uses."""

    PENDING = "pending"
    """Being made."""
    ACTIVE = "active"
    """The cloud says it is done; whether pods can run is readiness' question."""
    DELETING = "deleting"
    FAILED = "failed"
    """It will not become active by itself; it may hold instances, so it must be deleted."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A reason, read where it first appears: scaling activities, health issues, pool conditions."""

    code: str
    """The cloud's own code: InsufficientInstanceCapacity, VcpuLimitExceeded, GCE_STOCKOUT, ..."""
    message: str
    """The cloud's own words."""
    capacity: bool = False
    """Whether the cloud lacks machines now, as opposed to refusing them."""
    fatal: bool = False
    """Whether waiting cannot help."""
    times: int = 1
    """How often the cloud said so since it last succeeded."""


@dataclass(frozen=True, kw_only=True)
class NodePool:
    """A node pool as the cloud reports it."""

    name: str
    state: NodePoolState
    status: str
    """The cloud's own status word."""
    created_at: datetime | None = None
    size: int | None = None
    """Nodes asked for."""
    node_selector: tuple[str, str]
    """The label (key, value) that all nodes of this pool, and no others, carry."""
    lease: Lease | None = None
    claimed: bool = False
    """Whether its tags name us as its manager, also where no lease can be read from them."""
    keep: bool = False
    """Whether a person tagged it to be kept (lease.KEEP): then nobody but a person deletes it."""
    machine_type: str | None = None
    """The first of the machine types it was asked for with."""
    problems: tuple[Problem, ...] = ()
