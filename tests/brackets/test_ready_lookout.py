"""What *ready* rests on, look by look."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from airflow_multicluster.hooks.cluster import find_cluster
from multicluster.brackets import ready
from multicluster.brackets.keeping import LeaseKeeper
from multicluster.brackets.place import Place
from multicluster.errors import NodePoolBusyError
from multicluster.node_pools.lease import Lease
from multicluster.node_pools.pool import NodePoolSpec
from multicluster.node_pools.profile import NodePoolProfile
from multicluster.testing.fake_clock import FakeClock
from multicluster.testing.fake_node_pools import FakeNodePools, Pace

POOL = "mc-train-0"
NOT_YET, USABLE = 60, 200


@pytest.fixture
def clock():
    return FakeClock(datetime.now(UTC))


@pytest.fixture
def pools(monkeypatch, tmp_path, clock):
    made = FakeNodePools(clock=clock, pace=Pace(launched=0, ready=100, active=100, gpus=100))
    cpu = {"instanceTypes": ["g6.xlarge"]}
    cluster = {"name": "nam", "auth": {"kubeconfig": {"context": "c"}}, "nodePools": {"profiles": {"cpu": cpu}}}
    path = tmp_path / "clusters.json"
    path.write_text(
        json.dumps({"apiVersion": "multicluster/v1alpha1", "kind": "ClusterRegistry", "clusters": [cluster]})
    )
    monkeypatch.setenv("MULTICLUSTER_REGISTRY", str(path))
    monkeypatch.setattr(find_cluster("nam"), "node_pools", lambda: made)
    monkeypatch.setattr(ready, "list_nodes", lambda cluster, selector: made.nodes(POOL))
    return made


@pytest.fixture
def rented(pools, clock):
    spec = NodePoolSpec(name=POOL, size=1, profile=NodePoolProfile(instance_types=("g6.xlarge",)))
    pools.create(spec, Lease(owner="0" * 20, expires_at=clock() + timedelta(hours=1)))
    return pools


@pytest.fixture
def lookout(clock):
    return ready.ReadyLookout(
        Place(cluster="nam", pool=POOL, owner="0" * 20),
        profile="cpu",
        nodes=1,
        find=find_cluster,
        keeper=LeaseKeeper(clock=clock),
        clock=clock,
    )


def statuses(looking, times):
    return [looking.look().status for _ in range(times)]


def test_two_looks_in_a_row_that_find_usable_nodes_prove_it(rented, lookout, clock):
    clock.advance(USABLE)

    assert statuses(lookout, 2) == ["waiting", "done"]


def test_looks_that_find_none_count_for_nothing(rented, lookout, clock):
    clock.advance(NOT_YET)
    early = statuses(lookout, 3)
    clock.advance(USABLE)

    assert [*early, *statuses(lookout, 2)] == ["waiting", "waiting", "waiting", "waiting", "done"]


def test_a_node_that_is_lost_for_a_moment_breaks_the_row(rented, lookout, clock, monkeypatch):
    clock.advance(USABLE)
    first = lookout.look().status
    with monkeypatch.context() as moment:
        moment.setattr(ready, "list_nodes", lambda cluster, selector: ())
        lost = lookout.look().status

    assert [first, lost, *statuses(lookout, 2)] == ["waiting", "waiting", "waiting", "done"]


def test_a_look_that_failed_breaks_the_row(rented, lookout, clock):
    clock.advance(USABLE)
    first = lookout.look().status
    rented.refusals = [NodePoolBusyError("no answer")]

    assert [first, *statuses(lookout, 3)] == ["waiting", "waiting", "waiting", "done"]


def test_the_look_that_only_confirms_comes_soon(rented, lookout, clock):
    clock.advance(NOT_YET)
    early = lookout.look().soon
    clock.advance(USABLE)

    assert (early, lookout.look().soon) == (False, True)


def test_a_pool_that_nobody_knows_may_yet_appear_for_a_while(pools, lookout, clock):
    early = statuses(lookout, 2)
    clock.advance(ready.FORGETFUL.total_seconds() + 1)

    assert [*early, lookout.look().status] == ["waiting", "waiting", "failed"]
