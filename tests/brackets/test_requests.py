"""What is checked before a cloud is asked for a pool, or to delete one."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from airflow_multicluster.hooks.cluster import find_cluster
from multicluster.brackets.deletion import delete_pool
from multicluster.brackets.place import Place
from multicluster.brackets.request import request_pool
from multicluster.errors import (
    ClusterCordonedError,
    NodePoolConflictError,
    NodePoolLimitError,
    NodePoolRefusedError,
    UnknownProfileError,
)
from multicluster.node_pools.origin import Origin
from multicluster.testing.fake_clock import FakeClock
from multicluster.testing.fake_node_pools import FakeNodePools, Pace

ORIGIN = Origin(deployment="d", dag_id="train", run_id="r", group_id="g")
OWNER = ORIGIN.owner


@pytest.fixture
def pools():
    return FakeNodePools(clock=FakeClock(datetime.now(UTC)), pace=Pace(launched=0, ready=0, active=0))


@pytest.fixture
def registered(monkeypatch, tmp_path, pools):
    """Register the cluster ``nam`` with what the test adds; its pools are in memory."""

    def register(**more):
        profiles = {"l4": {"instanceTypes": ["g6.xlarge"]}}
        node_pools_ = {"profiles": profiles, "limits": more.pop("limits", {})}
        one = {"name": "nam", "auth": {"kubeconfig": {"context": "c"}}, "nodePools": node_pools_, **more}
        path = tmp_path / "clusters.json"
        document = {"apiVersion": "multicluster/v1alpha1", "kind": "ClusterRegistry", "clusters": [one]}
        path.write_text(json.dumps(document))
        monkeypatch.setenv("MULTICLUSTER_REGISTRY", str(path))
        monkeypatch.setattr(find_cluster("nam"), "node_pools", lambda: pools)

    return register


def request(name="mc-a", *, size=1, profile="l4", max_lifetime=None):
    cluster = find_cluster("nam")
    return request_pool(cluster, profile_name=profile, name=name, origin=ORIGIN, size=size, max_lifetime=max_lifetime)


def hours_left(pool):
    return round((pool.lease.ends_at - datetime.now(UTC)).total_seconds() / 3600, 1)


def test_the_lease_names_the_owner_and_ends_after_a_day(registered):
    registered()

    assert (request().lease.owner, hours_left(request())) == (OWNER, 24)


def test_the_lease_lasts_as_long_as_the_registry_allows(registered):
    registered(limits={"maxLifetimeSeconds": 7200})

    assert hours_left(request()) == 2


def test_the_lease_lasts_as_long_as_the_task_says(registered):
    registered(limits={"maxLifetimeSeconds": 7200})

    assert hours_left(request(max_lifetime=timedelta(hours=1))) == 1


def test_a_longer_lease_than_the_registry_allows_is_refused(registered, pools):
    registered(limits={"maxLifetimeSeconds": 7200})

    with pytest.raises(NodePoolLimitError, match="7200"):
        request(max_lifetime=timedelta(hours=3))
    assert pools.asked == []


@pytest.mark.parametrize(("limits", "size"), [({"pools": 1}, 1), ({"nodes": 3}, 2)])
def test_more_than_the_registrys_limits_is_refused(registered, limits, size):
    registered(limits=limits)
    request("mc-a", size=size)

    with pytest.raises(NodePoolLimitError, match="mc-a"):
        request("mc-b", size=size)


def test_asking_again_for_what_was_granted_is_within_the_limits(registered):
    registered(limits={"pools": 1, "nodes": 1})

    assert request().name == request().name


@pytest.mark.parametrize("lifetime", [timedelta(), timedelta(seconds=-1), timedelta(days=3651), timedelta.max])
def test_a_lifetime_that_is_none_or_beyond_all_calendars_is_refused(registered, pools, lifetime):
    registered()

    with pytest.raises(NodePoolRefusedError, match="max_lifetime"):
        request(max_lifetime=lifetime)
    assert pools.asked == []


@pytest.mark.parametrize("size", [0, -1])
def test_a_pool_without_nodes_is_refused(registered, pools, size):
    registered()

    with pytest.raises(NodePoolRefusedError, match=f"to have {size} nodes"):
        request(size=size)
    assert pools.asked == []


def test_a_registry_that_allows_more_than_calendars_hold_allows_ten_years(registered):
    registered(limits={"maxLifetimeSeconds": 10**15})

    assert hours_left(request()) == 3650 * 24


def test_a_term_beyond_all_calendars_lasts_as_long_as_the_pool_may(registered):
    registered()
    cluster = find_cluster("nam")

    pool = request_pool(cluster, profile_name="l4", name="mc-a", origin=ORIGIN, size=1, term=timedelta.max)

    assert pool.lease.expires_at == pool.lease.ends_at


def test_a_cordoned_cluster_gets_no_pool(registered, pools):
    registered(cordoned={"reason": "upgrade to 1.35"})

    with pytest.raises(ClusterCordonedError, match=r"upgrade to 1\.35"):
        request()
    assert pools.asked == []


def test_a_cordoned_cluster_still_loses_its_pools(registered):
    registered()
    request()
    registered(cordoned={"reason": "upgrade"})

    assert delete_pool(find_cluster("nam"), Place(cluster="nam", pool="mc-a", owner=OWNER))


def test_an_unknown_profile_is_refused_with_the_known_ones(registered):
    registered()

    with pytest.raises(UnknownProfileError, match="l4"):
        request(profile="h100")


def test_a_pool_of_another_owner_is_not_deleted(registered, pools):
    registered()
    request()

    with pytest.raises(NodePoolConflictError, match="left alone"):
        delete_pool(find_cluster("nam"), Place(cluster="nam", pool="mc-a", owner="1" * 20))
    assert ("delete", "mc-a") not in pools.asked


def test_a_pool_that_is_not_there_is_deleted_already(registered):
    registered()

    assert not delete_pool(find_cluster("nam"), Place(cluster="nam", pool="mc-a", owner=OWNER))
