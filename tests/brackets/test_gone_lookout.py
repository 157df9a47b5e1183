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
from multicluster.errors import CloudUnavailableError, NodePoolBusyError, NodePoolRefusedError
from multicluster.node_pools.lease import Lease
from multicluster.node_pools.pool import NodePoolSpec
from multicluster.node_pools.profile import NodePoolProfile
from multicluster.testing.fake_clock import FakeClock
from multicluster.testing.fake_node_pools import FakeNodePools, Pace

HOUR = timedelta(hours=1)
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
    now = pools._clock()
    pools.create(spec, Lease(owner=OWNER, expires_at=now + HOUR, ends_at=now + 9 * HOUR, term=HOUR))


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


def refusing(pools, verb, error, *, times=10**6):
    """Let the next calls of a verb, and no others, raise *error*."""
    plain, left = getattr(pools, verb), [error] * min(times, 1000)

    def call(name, *more):
        if left:
            pools.asked.append((verb, name))
            raise left.pop()
        return plain(name, *more)

    setattr(pools, verb, call)


def verbs(pools):
    return [verb for verb, _ in pools.asked]


def test_the_dead_man_switch_stays_until_the_pool_is_proven_gone(pools):
    rent(pools)
    looking = lookout()
    looking.look()
    deleting = (looking.look().status, pools.armed(POOL) is not None)
    pools._clock.advance(301)
    first = (looking.look().status, pools.armed(POOL) is not None)

    assert (deleting, first) == (("waiting", True), ("waiting", True))
    assert (looking.look().status, pools.armed(POOL)) == ("done", None)


def test_a_switch_that_cannot_be_taken_away_now_is_asked_for_again(pools):
    refusing(pools, "release", CloudUnavailableError("throttled"), times=2)
    looking = lookout()
    found = [looking.look() for _ in range(4)]

    assert [one.status for one in found] == ["waiting", "waiting", "waiting", "done"]
    assert [one.enough for one in found[1:3]] == [True, True]
    assert "throttled" in found[2].text
    assert "throttled" not in found[3].text


@pytest.mark.parametrize(
    ("error", "looks"), [(CloudUnavailableError("throttled"), 4), (NodePoolRefusedError("not authorized"), 2)]
)
def test_a_switch_that_stays_makes_no_proof_red(pools, error, looks):
    refusing(pools, "release", error)
    looking = lookout()
    found = [looking.look() for _ in range(looks)]

    assert [one.status for one in found] == ["waiting"] * (looks - 1) + ["done"]
    assert "fire once and find nothing" in found[-1].text
    assert str(error) in found[-1].text


def test_a_pool_that_the_release_still_sees_is_proven_gone_anew(pools):
    refusing(pools, "release", NodePoolBusyError("it is still there"), times=1)
    looking = lookout()
    found = [looking.look() for _ in range(4)]

    assert [(one.status, one.enough) for one in found] == [
        ("waiting", False), ("waiting", False), ("waiting", False), ("done", False),
    ]  # fmt: skip


@pytest.mark.parametrize("error", [NodePoolBusyError("an operation"), NodePoolRefusedError("not authorized")])
def test_the_lease_is_kept_while_the_deletion_is_not_taken(pools, error):
    rent(pools)
    refusing(pools, "delete", error)
    pools._clock.advance(40 * 60)
    found = lookout(clock=pools._clock).look()

    assert found.status == "waiting"
    assert "(renewed)" in found.lease
    assert pools.get(POOL).lease.expires_at > pools._clock() + HOUR - timedelta(seconds=1)


def test_the_lease_is_left_alone_once_the_deletion_is_taken(pools):
    rent(pools)
    pools._clock.advance(40 * 60)
    looking = lookout(clock=pools._clock)
    found = [looking.look() for _ in range(3)]

    assert "renew" not in verbs(pools)
    assert [one.lease for one in found] == ["", "", ""]


def test_trouble_with_the_lease_hides_no_trouble_with_the_deletion(pools):
    rent(pools)
    refusing(pools, "delete", NodePoolBusyError("an operation"))
    refusing(pools, "renew", CloudUnavailableError("throttled"))
    pools._clock.advance(40 * 60)
    found = lookout(clock=pools._clock).look()

    assert ("an operation" in found.text, "throttled" in found.lease) == (True, True)


def test_what_may_be_mended_meanwhile_is_waited_for_and_what_stays_is_red(pools):
    looking = lookout()
    pools.refusals = [NodePoolRefusedError("not authorized")] * 20
    found = [looking.look() for _ in range(gone.PATIENCE)]

    assert [one.status for one in found] == ["waiting"] * (gone.PATIENCE - 1) + ["failed"]
    assert POOL in found[-1].text
