"""What readiness looks at in a node and in a ResourceSlice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

POWERS = {"k": 10**3, "M": 10**6, "G": 10**9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
SUFFIXES = {"m": Decimal("0.001")} | {suffix: Decimal(power) for suffix, power in POWERS.items()}


@dataclass(frozen=True, kw_only=True)
class TaintFact:
    """A taint as it stands on a node."""

    key: str
    value: str = ""
    effect: str = "NoSchedule"

    def __str__(self) -> str:
        return f"{self.key}={self.value}:{self.effect}" if self.value else f"{self.key}:{self.effect}"


@dataclass(frozen=True, kw_only=True)
class NodeFacts:
    """A node, reduced to what decides whether pods can run on it."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    ready: bool = False
    ready_reason: str = ""
    """Why it is not Ready, in the kubelet's words."""
    taints: tuple[TaintFact, ...] = ()
    allocatable: Mapping[str, str | int] = field(default_factory=dict)
    unschedulable: bool = False
    deleting: bool = False
    conditions: Mapping[str, str] = field(default_factory=dict)
    """Status ("True", "False", "Unknown") by condition type."""
    created_at: datetime | None = None

    @classmethod
    def from_object(cls, node: Mapping[str, Any]) -> NodeFacts:
        """Read a Node as the API's JSON has it, or as a client's ``to_dict()`` has it (snake_case)."""
        metadata, spec, status = (node.get(part) or {} for part in ("metadata", "spec", "status"))
        conditions = {one["type"]: one for one in status.get("conditions") or ()}
        ready = conditions.get("Ready") or {}
        taints = (
            TaintFact(key=taint["key"], value=taint.get("value") or "", effect=taint.get("effect") or "")
            for taint in spec.get("taints") or ()
        )
        return cls(
            name=metadata.get("name") or "",
            labels=dict(metadata.get("labels") or {}),
            ready=ready.get("status") == "True",
            ready_reason=": ".join(word for word in (ready.get("reason"), ready.get("message")) if word),
            taints=tuple(taints),
            allocatable=dict(status.get("allocatable") or {}),
            unschedulable=bool(spec.get("unschedulable")),
            deleting=bool(_either(metadata, "deletionTimestamp", "deletion_timestamp")),
            conditions={kind: str(one.get("status")) for kind, one in conditions.items()},
            created_at=_moment(_either(metadata, "creationTimestamp", "creation_timestamp")),
        )

    def offers(self, resource: str) -> int:
        """Return how many of an extended resource pods may ask for here; what cannot be read counts as none."""
        return quantity(self.allocatable.get(resource, 0))


@dataclass(frozen=True, kw_only=True)
class SliceFacts:
    """A ResourceSlice (resource.k8s.io/v1): devices that a DRA driver offers on one node."""

    driver: str
    node: str
    pool: str = ""
    generation: int = 0
    slices: int = 1
    """How many slices this generation of the pool has in all; with fewer, the list of devices is not complete."""
    devices: int = 0

    @classmethod
    def from_object(cls, item: Mapping[str, Any]) -> SliceFacts:
        """Read a ResourceSlice as the API's JSON has it; slices for no single node get the node ``""``."""
        spec = item.get("spec") or {}
        pool = spec.get("pool") or {}
        return cls(
            driver=spec.get("driver") or "",
            node=_either(spec, "nodeName", "node_name") or "",
            pool=pool.get("name") or "",
            generation=int(pool.get("generation") or 0),
            slices=int(_either(pool, "resourceSliceCount", "resource_slice_count") or 1),
            devices=len(spec.get("devices") or ()),
        )


def quantity(value: str | int) -> int:
    """Return a Kubernetes quantity as a whole number, rounded down; 0 for what is no quantity."""
    text = str(value)
    suffix = next((end for end in sorted(SUFFIXES, key=len, reverse=True) if text.endswith(end)), "")
    try:
        return int(Decimal(text.removesuffix(suffix)) * SUFFIXES.get(suffix, Decimal(1)))
    except (InvalidOperation, ValueError, OverflowError):
        return 0


def _either(mapping: Mapping[str, Any], camel: str, snake: str) -> Any:
    return mapping.get(camel) or mapping.get(snake)


def _moment(value: Any) -> datetime | None:
    if value is None or isinstance(value, datetime):
        return value
    return datetime.fromisoformat(str(value))
