"""Who meets a fault: a worker with a registry of its own, and the pool it asks for."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from multicluster import load_registry
from multicluster.brackets.place import Place, address
from multicluster.node_pools.lease import Lease
from multicluster.node_pools.origin import Origin
from multicluster.node_pools.pool import NodePool, NodePoolSpec
from multicluster.registry.cluster import Cluster
from multicluster.simulator import World

NUMBERS = itertools.count(1)
NETWORK = {"connectTimeoutSeconds": 5, "readTimeoutSeconds": 2}


@dataclass(kw_only=True)
class Stage:
    """A pool's name and lease, and whoever asks for it: a worker with a registry of its own."""

    world: World
    patch: pytest.MonkeyPatch
    folder: Path
    number: int = field(default_factory=lambda: next(NUMBERS))
    opened: dict[str, Cluster] = field(default_factory=dict)
    auth: dict[str, Any] = field(default_factory=dict)
    """Changes to how the cluster is reached, by the name of its kind."""
    network: dict[str, Any] = field(default_factory=dict)

    @property
    def origin(self) -> Origin:
        return Origin(deployment="faults", dag_id="train", run_id=f"run-{self.number}", group_id="fit")

    @property
    def name(self) -> str:
        from multicluster.node_pools.naming import pool_name

        return pool_name(self.origin.owner, hint="fit")

    def lease(self, hours: float = 1) -> Lease:
        now = dt.datetime.now(dt.UTC).replace(microsecond=0)
        return Lease(
            owner=self.origin.owner,
            expires_at=now + dt.timedelta(hours=hours),
            ends_at=now + dt.timedelta(hours=9),
            term=dt.timedelta(hours=1),
            origin=self.origin,
        )

    def cluster(self, name: str) -> Cluster:
        """Open a cluster as a new process does; the same one until ``forget``."""
        if name not in self.opened:
            document: Any = self.world.registry()
            for one in document["clusters"]:
                for kind in one["auth"]:
                    one["auth"][kind] |= self.auth.get(kind, {})
                if self.network:
                    one["network"] = self.network
            self.opened[name] = load_registry(document)[name]
        return self.opened[name]

    def place(self, cluster: str) -> Place:
        where = address(self.cluster(cluster))
        return Place(cluster=cluster, pool=self.name, owner=self.origin.owner, address=where)

    def forget(self) -> None:
        """Go on as another process."""
        self.opened.clear()

    def spec(self, cluster: str) -> NodePoolSpec:
        return NodePoolSpec(
            name=self.name, size=1, profile=self.cluster(cluster).profile("l4"), max_lifetime_seconds=7200
        )

    def pools(self, cluster: str) -> Any:
        return self.cluster(cluster).node_pools()

    def make(self, cluster: str) -> NodePool:
        """Make the pool and wait until it is there."""
        made: NodePool = self.pools(cluster).create(self.spec(cluster), self.lease())
        self.world.settle()
        return made

    def clear(self) -> None:
        """Take faults and pools away, for the next one."""
        self.world.faults.clear()
        self.world.inject("clock-skew", seconds="0")
        self.world.google.operations.all.clear()
        groups = self.world.groups
        self.world.host.run(lambda: [groups.delete(group) for group in list(groups.groups.values())])
        self.world.settle()
