"""What *ready* rests on, look by look."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from airflow_multicluster.hooks.cluster import find_cluster
from multicluster.brackets import ready
from multicluster.brackets.keeping import LeaseKeeper
from multicluster.brackets.place import Place
from multicluster.errors import CloudUnavailableError, NodePoolBusyError
from multicluster.node_pools.lease import Lease
from multicluster.node_pools.pool import NodePoolSpec
from multicluster.node_pools.profile import NodePoolProfile
from multicluster.testing.fake_clock import FakeClock
from multicluster.testing.fake_node_pools import FakeNodePools, Pace

POOL = "mc-train-0"
HOUR = timedelta(hours=1)
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
    now = clock()
    pools.create(spec, Lease(owner="0" * 20, expires_at=now + HOUR, ends_at=now + 9 * HOUR, term=HOUR))
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


def test_the_lease_is_renewed_while_nodes_are_waited_for(rented, lookout, clock, monkeypatch):
    monkeypatch.setattr(ready, "list_nodes", lambda cluster, selector: ())
    found = []
    for _ in range(3 * 60):
        clock.advance(60)
        found.append(lookout.look())

    assert {one.status for one in found} == {"waiting"}
    assert rented.get(POOL).lease.expires_at > clock() + HOUR * 0.4 - timedelta(seconds=60)
    renewals = [verb for verb, _ in rented.asked].count("renew")
    assert 5 <= renewals <= 7
    assert [verb for verb, _ in rented.asked if verb == "get"] == ["get"]
    assert len({one.lease for one in found}) == renewals + 1


def test_a_lease_that_cannot_be_renewed_now_ends_no_wait(rented, lookout, clock, monkeypatch):
    def throttled(name, lease):
        raise CloudUnavailableError("throttled")

    monkeypatch.setattr(rented, "renew", throttled)
    clock.advance(40 * 60)
    found = [lookout.look() for _ in range(2)]

    assert [one.status for one in found] == ["waiting", "done"]
    assert "throttled" in found[0].lease


def test_a_pool_whose_lease_is_lost_is_not_waited_for(rented, lookout, clock, monkeypatch):
    monkeypatch.setattr(ready, "list_nodes", lambda cluster, selector: ())
    clock.advance(66 * 60)
    found = lookout.look()

    assert found.status == "failed"
    assert "its lease was over at" in found.text
    assert "clear the bracket from its create_node_pool" in found.text


def test_a_strangers_pool_is_not_waited_for(pools, lookout, clock):
    pools.add_strange(NodePoolSpec(name=POOL, size=1, profile=NodePoolProfile(instance_types=("g6.xlarge",))))
    found = lookout.look()

    assert (found.status, "lease tags are missing" in found.text) == ("failed", True)
