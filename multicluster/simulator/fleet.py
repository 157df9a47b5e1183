"""Hold what a cloud knows of a node group: its state, instances, activities and problems."""

from __future__ import annotations

import enum
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import asyncio
    import datetime as dt
    from collections.abc import Iterable, Mapping

    from multicluster.simulator.kubernetes.nodes import NodeShape
    from multicluster.simulator.machine_types import MachineType


class State(enum.StrEnum):
    """Where a group stands, in EKS's words; GKE's are translated from them."""

    CREATING = "CREATING"
    ACTIVE = "ACTIVE"
    UPDATING = "UPDATING"
    DEGRADED = "DEGRADED"
    CREATE_FAILED = "CREATE_FAILED"
    DELETING = "DELETING"
    DELETE_FAILED = "DELETE_FAILED"


class NodeError(Exception):
    """What was asked of a node could not be done."""


class Nodes(Protocol):
    """The part of a cluster that the clouds move: its nodes. Every call returns at once; ``settled`` waits."""

    def add_node(self, name: str, shape: NodeShape) -> None:
        """Let a node register itself; returns at once."""

    def set_node(
        self,
        name: str,
        *,
        ready: bool | None = None,
        allocatable: Mapping[str, str] | None = None,
        remove_taints: Iterable[str] = (),
    ) -> None:
        """Change a node as its kubelet does."""

    def drain_node(self, name: str) -> None:
        """Cordon a node and delete its pods with their grace periods."""

    def remove_node(self, name: str) -> None:
        """Take a node away with its pods."""

    async def settled(self, name: str) -> None:
        """Wait until all that was asked of a node has happened; raises NodeError when the last of it could not."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A health issue."""

    code: str
    message: str
    resource_ids: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Activity:
    """One attempt of Auto Scaling (or a managed instance group) to change the number of instances."""

    started: dt.datetime
    ended: dt.datetime
    succeeded: bool
    description: str
    cause: str
    message: str = ""
    id: str = field(default_factory=lambda: secrets.token_hex(16))


@dataclass(kw_only=True)
class Instance:
    """A virtual machine, from launch to the record of its end."""

    id: str
    node: str
    machine: MachineType
    zone: str
    address: str
    launched: dt.datetime
    state: str = "pending"
    ended: dt.datetime | None = None
    gpus_ready: bool = False

    def gpu_seconds(self, now: dt.datetime) -> float:
        """Count GPU-seconds rented until now."""
        return self.machine.gpus * ((self.ended or now) - self.launched).total_seconds()


@dataclass(kw_only=True)
class NodeGroup:
    """A group of like nodes. ``key`` names the cluster; ``settings`` holds what only its own cloud's API asks about."""

    key: str
    name: str
    nodes: Nodes
    machine: MachineType
    desired: int
    minimum: int
    maximum: int
    zones: tuple[str, ...]
    created: dt.datetime
    spot: bool = False
    labels: dict[str, str] = field(default_factory=dict)
    taints: list[dict[str, str]] = field(default_factory=list)
    advertises_gpus: bool = True
    state: State = State.CREATING
    launching: bool = False
    modified: dt.datetime | None = None
    problems: list[Problem] = field(default_factory=list)
    activities: list[Activity] = field(default_factory=list)
    instances: list[Instance] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    keepers: set[asyncio.Task[None]] = field(default_factory=set)
    watchers: list[asyncio.Future[None]] = field(default_factory=list)

    @property
    def target(self) -> str:
        """What faults aim at: ``cluster/group``."""
        return f"{self.key.rsplit('/', 1)[-1]}/{self.name}"
