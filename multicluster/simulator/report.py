"""Say what is left in the clouds of a world and what was asked of them: counted, never assumed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class CloudReport:
    """One cloud's account of itself. ``calls`` counts requests by ``service:operation``, refused ones too."""

    pools_left: tuple[str, ...]
    """``cluster/pool`` of each pool that still exists, in whatever state."""
    instances_left: tuple[str, ...]
    """Ids of machines that are not terminated."""
    nodes_left: tuple[str, ...]
    """``cluster/node`` of each Node object that belongs to a pool."""
    tokens_verified: int
    """How often a cluster's API server, or its verifier on a testbed, accepted a token of this cloud."""
    tokens_seen: int
    """How many different tokens those were; on a testbed nobody can tell, and it is 0."""
    tokens_refused: int
    calls: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Report:
    """The proof. GPU-seconds count from an instance's launch to its end, times its GPUs; busy ones ran a pod."""

    aws: CloudReport
    google: CloudReport
    gpu_busy_seconds: float
    gpu_idle_seconds: float

    @property
    def pools_left(self) -> tuple[str, ...]:
        """Pools left in both clouds."""
        return (*self.aws.pools_left, *self.google.pools_left)

    @property
    def instances_left(self) -> tuple[str, ...]:
        """Instances left in both clouds."""
        return (*self.aws.instances_left, *self.google.instances_left)

    @property
    def nodes_left(self) -> tuple[str, ...]:
        """Nodes left in both clouds."""
        return (*self.aws.nodes_left, *self.google.nodes_left)
