"""Clusters in memory whose pools live under one fake clock."""

from __future__ import annotations

from datetime import timedelta

import pytest

from multicluster.errors import ClusterIdentityError
from multicluster.node_pools.lease import Lease
from multicluster.node_pools.origin import Origin
from multicluster.node_pools.pool import NodePoolSpec
from multicluster.node_pools.profile import Gpu, NodePoolProfile
from multicluster.reaper.reaper import Reaper
from multicluster.testing.fake_clock import FakeClock
from multicluster.testing.fake_node_pools import FakeNodePools

PROFILE = NodePoolProfile(instance_types=("g6.xlarge",), gpu=Gpu())
HOUR = timedelta(hours=1)


class FakeCluster:
    """What the reaper asks of a cluster."""

    def __init__(self, name: str, clock: FakeClock) -> None:
        self.name = name
        self.clock = clock
        self.pools = FakeNodePools(clock=clock)
        self.nodes: dict[str, str] = {}
        self.stranger = False
        self.trouble: Exception | None = None

    def node_pools(self) -> FakeNodePools:
        if self.trouble is not None:
            raise self.trouble
        return self.pools

    def check_identity(self) -> None:
        if self.stranger:
            raise ClusterIdentityError(f"cluster {self.name!r} is not the one that the registry pins")

    def make(self, run: str = "run", *, lives: timedelta = 4 * HOUR, term: timedelta = HOUR) -> str:
        """Ask for a pool as a bracket does; return its name."""
        origin = Origin(deployment="tests", dag_id="train", run_id=run, group_id="gpu")
        ends = self.clock() + lives
        lease = Lease(owner=origin.owner, expires_at=self.clock() + term, ends_at=ends, term=term, origin=origin)
        self.pools.create(NodePoolSpec(name=f"mc-gpu-{origin.owner}", size=1, profile=PROFILE), lease)
        return f"mc-gpu-{origin.owner}"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def cluster(clock: FakeClock) -> FakeCluster:
    return FakeCluster("gpu-use1", clock)


@pytest.fixture
def other(clock: FakeClock) -> FakeCluster:
    return FakeCluster("gpu-euw4", clock)


@pytest.fixture
def reaper(clock, cluster, other):
    def make(**options):
        return Reaper([cluster, other], clock=clock, nodes_of=lambda one, _label: one.nodes, **options)

    return make
