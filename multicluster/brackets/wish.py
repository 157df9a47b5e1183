"""What a bracket asks for, in names and numbers: enough to ask again from wherever they travel to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from multicluster.access.clock import Clock, system_clock
from multicluster.brackets.place import Place
from multicluster.brackets.request import request_pool
from multicluster.node_pools.lease import AN_HOUR
from multicluster.node_pools.origin import Origin

if TYPE_CHECKING:
    from multicluster.node_pools.pool import NodePool
    from multicluster.registry.cluster import Cluster


@dataclass(frozen=True, kw_only=True)
class Wish:
    """A pool of *nodes* machines of *profile* on *cluster*, for whoever *origin* says."""

    cluster: str
    name: str
    profile: str
    nodes: int
    origin: Origin
    lease: timedelta = AN_HOUR
    """How long its lease lasts unless it is renewed."""
    max_lifetime: timedelta | None = None
    """No renewal goes beyond it; None: the registry's limit, else a day."""

    @property
    def place(self) -> Place:
        """Where the pool is, and whose."""
        return Place(cluster=self.cluster, pool=self.name, owner=self.origin.owner)

    def ask(self, cluster: Cluster, *, clock: Clock = system_clock) -> NodePool:
        """Ask for it, once; see request_pool. Asked again it is the same pool, its lease renewed."""
        return request_pool(
            cluster,
            profile_name=self.profile,
            name=self.name,
            origin=self.origin,
            size=self.nodes,
            max_lifetime=self.max_lifetime,
            term=self.lease,
            clock=clock,
        )

    def to_names(self) -> dict[str, Any]:
        """Encode as JSON holds it: ``cluster``, ``name`` and ``profile`` first, times in seconds."""
        return {
            "cluster": self.cluster,
            "name": self.name,
            "profile": self.profile,
            "nodes": self.nodes,
            "lease": self.lease.total_seconds(),
            "max_lifetime": None if self.max_lifetime is None else self.max_lifetime.total_seconds(),
            "origin": asdict(self.origin),
        }

    @classmethod
    def from_names(cls, names: Mapping[str, Any]) -> Wish | None:
        """Read it back; None where somebody wrote the names by hand and left out whose the pool is."""
        try:
            lifetime = names["max_lifetime"]
            return cls(
                cluster=names["cluster"],
                name=names["name"],
                profile=names["profile"],
                nodes=int(names["nodes"]),
                origin=Origin(**names["origin"]),
                lease=timedelta(seconds=names["lease"]),
                max_lifetime=None if lifetime is None else timedelta(seconds=lifetime),
            )
        except (KeyError, TypeError, ValueError, OverflowError):
            return None
