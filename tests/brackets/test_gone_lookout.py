"""What the proof that a pool is gone rests on, look by look."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from airflow_multicluster.hooks.cluster import find_cluster
from multicluster.access.clock import system_clock
from multicluster.brackets import gone
from multicluster.brackets.keeping import LeaseKeeper
from multicluster.brackets.place import Place
from multicluster.errors import NodePoolBusyError, NodePoolRefusedError
from multicluster.node_pools.lease import Lease
from multicluster.node_pools.pool import NodePoolSpec
from multicluster.node_pools.profile import NodePoolProfile
from multicluster.testing.fake_clock import FakeClock
from multicluster.testing.fake_node_pools import FakeNodePools, Pace

POOL, OWNER = "mc-train-0", "0" * 20


@pytest.fixture
def pools(monkeypatch, tmp_path):
    made = FakeNodePools(clock=FakeClock(datetime.now(UTC)), pace=Pace(launched=0, ready=0, active=0))
    document = {"apiVersion": "multicluster/v1alpha1", "kind": "ClusterRegistry"}
    document["clusters"] = [{"name": "nam", "auth": {"kubeconfig": {"context": "c"}}}]
    path = tmp_path / "clusters.json"
    path.write_text(json.dumps(document))
    monkeypatch.setenv("MULTICLUSTER_REGISTRY", str(path))
    monkeypatch.setattr(find_cluster("nam"), "node_pools", lambda: made)
    monkeypatch.setattr(gone, "list_nodes", lambda cluster, selector: made.nodes(POOL))
    return made


def lookout(*, sure=True, asks=3, clock=system_clock):
    place = Place(cluster="nam", pool=POOL, owner=OWNER, sure=sure)
    return gone.GoneLookout(place, asks=asks, find=find_cluster, keeper=LeaseKeeper(clock=clock), clock=clock)


def rent(pools):
    spec = NodePoolSpec(name=POOL, size=1, profile=NodePoolProfile(instance_types=("g6.xlarge",)))
    pools.create(spec, Lease(owner=OWNER, expires_at=datetime.now(UTC) + timedelta(hours=1)))


def statuses(looking, times):
    return [looking.look().status for _ in range(times)]


def test_two_looks_in_a_row_that_find_nothing_prove_it(pools):
    assert statuses(lookout(), 2) == ["waiting", "done"]


def test_a_look_that_failed_breaks_the_row(pools):
    looking = lookout()
    first = looking.look().status
    pools.refusals = [NodePoolBusyError("no answer")]

    assert [first, *statuses(looking, 3)] == ["waiting", "waiting", "waiting", "done"]


def test_a_pool_that_was_perhaps_just_asked_for_may_yet_appear(pools):
    clock = FakeClock(datetime.now(UTC))
    looking = lookout(sure=False, clock=clock)
    early = statuses(looking, 3)
    clock.advance(gone.FORGETFUL.total_seconds())

    assert (early, looking.look().status) == (["waiting"] * 3, "done")


def test_a_cloud_that_is_busy_was_not_asked(pools, monkeypatch):
    rent(pools)
    delete, answers = pools.delete, [NodePoolBusyError("an operation")]

    def busy_once(name):
        if answers:
            raise answers.pop()
        delete(name)

    monkeypatch.setattr(pools, "delete", busy_once)
    looking = lookout(asks=1)
    looking.look()

    assert "1 of 1" in looking.look().text


def test_what_may_be_mended_meanwhile_is_waited_for_and_what_stays_is_red(pools):
    looking = lookout()
    pools.refusals = [NodePoolRefusedError("not authorized")] * 20
    found = [looking.look() for _ in range(gone.PATIENCE)]

    assert [one.status for one in found] == ["waiting"] * (gone.PATIENCE - 1) + ["failed"]
    assert POOL in found[-1].text
