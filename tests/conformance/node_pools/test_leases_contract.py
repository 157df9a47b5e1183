"""What every implementation of NodePools promises about leases, switches and leftovers (node_pools/protocol.py)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from multicluster.errors import NodePoolBusyError, NodePoolConflictError, NodePoolNotFoundError
from multicluster.node_pools.lease import Lease
from multicluster.node_pools.pool import NodePoolSpec
from multicluster.node_pools.protocol import NodePools

from .test_node_pools_contract import NoLease, Until, active, gone, no_machines, no_states, there

no_tags = pytest.mark.not_on_moto("test_moto_tags_clusters_only")


@pytest.fixture
def renewable(ground: Any, lease: Lease) -> Lease:
    """A lease that lasts an hour and may be renewed twice."""
    now = ground.now().replace(microsecond=0)
    return replace(
        lease, expires_at=now + timedelta(hours=1), ends_at=now + timedelta(hours=3), term=timedelta(hours=1)
    )


def patiently(verb: Callable[[], Any]) -> Callable[[], bool]:
    """Ask as whoever asks again later: a cloud may be busy with what was asked before."""

    def asked() -> bool:
        try:
            verb()
        except NodePoolBusyError:
            return False
        return True

    return asked


@no_tags
def test_a_renewed_lease_is_read_back_from_the_cloud(
    ground: Any, pools: NodePools, spec: NodePoolSpec, renewable: Lease, until: Until
) -> None:
    pools.create(spec, renewable)
    again = replace(renewable, expires_at=renewable.expires_at + timedelta(hours=1))

    until(patiently(lambda: pools.renew("train", again)))

    assert ground.pools().get("train").lease == again


def test_renewing_the_pool_of_another_owner_is_a_conflict(
    pools: NodePools, spec: NodePoolSpec, renewable: Lease
) -> None:
    pools.create(spec, renewable)

    with pytest.raises(NodePoolConflictError, match=renewable.owner):
        pools.renew("train", replace(renewable, owner="somebody-else"))

    assert pools.get("train").lease == renewable


def test_renewing_the_pool_of_a_stranger_is_a_conflict(pools: NodePools, spec: NodePoolSpec, renewable: Lease) -> None:
    pools.create(spec, NoLease(owner="x", expires_at=renewable.expires_at))

    with pytest.raises(NodePoolConflictError, match="no lease"):
        pools.renew("train", renewable)


def test_renew_of_an_unknown_pool_is_not_found(pools: NodePools, renewable: Lease) -> None:
    with pytest.raises(NodePoolNotFoundError, match="never-made"):
        pools.renew("never-made", renewable)


@no_tags
def test_a_pool_is_armed_for_after_its_lease_and_no_renewal_arms_it_earlier(
    pools: NodePools, spec: NodePoolSpec, renewable: Lease, until: Until
) -> None:
    pools.create(spec, renewable)
    before = pools.armed("train")
    again = replace(renewable, expires_at=renewable.expires_at + timedelta(hours=1))

    until(patiently(lambda: pools.renew("train", again)))
    after = pools.armed("train")

    assert before is not None
    assert after is not None
    assert before > renewable.expires_at
    assert after >= before
    assert after > again.expires_at


def test_a_pool_that_was_never_made_is_not_armed(pools: NodePools) -> None:
    assert pools.armed("never-made") is None


@no_tags
def test_create_asked_again_renews_the_lease_and_leaves_its_end(
    ground: Any, pools: NodePools, spec: NodePoolSpec, renewable: Lease, until: Until
) -> None:
    first = pools.create(spec, renewable).lease
    until(there(pools))
    for _ in range(6):
        ground.pass_time()

    def renewed() -> Lease | None:
        now = ground.now()
        asked = replace(renewable, expires_at=now + timedelta(hours=1), ends_at=now + timedelta(hours=9))
        lease = pools.create(spec, asked).lease
        return lease if lease and lease.expires_at >= first.expires_at else None  # type: ignore[union-attr]

    lease = until(renewed)

    assert lease == pools.get("train").lease
    assert (lease.owner, lease.ends_at, lease.term) == (renewable.owner, renewable.ends_at, renewable.term)


@no_states
def test_create_asked_again_later_ends_later(
    ground: Any, pools: NodePools, spec: NodePoolSpec, renewable: Lease, until: Until
) -> None:
    pools.create(spec, renewable)
    until(there(pools))

    def later() -> bool:
        lease = pools.create(spec, renewable).lease
        return lease is not None and lease.expires_at > renewable.expires_at

    assert until(later)


def test_the_switch_of_a_pool_that_is_there_is_not_released(
    pools: NodePools, spec: NodePoolSpec, renewable: Lease
) -> None:
    pools.create(spec, renewable)

    with pytest.raises(NodePoolBusyError, match="still there"):
        pools.release("train")

    assert pools.armed("train") is not None


def test_nothing_is_left_of_a_pool_that_is_gone_and_released(
    pools: NodePools, spec: NodePoolSpec, renewable: Lease, until: Until
) -> None:
    pools.create(spec, renewable)
    until(there(pools))
    until(patiently(lambda: pools.delete("train")))
    until(gone(pools))

    until(lambda: pools.instances("train") == ())
    pools.release("train")
    pools.release("train")

    assert pools.armed("train") is None
    assert list(pools.leftovers()) == []


def test_release_of_a_pool_that_was_never_made_does_nothing(pools: NodePools) -> None:
    pools.release("never-made")

    assert list(pools.leftovers()) == []


@no_machines
def test_what_a_pool_has_is_not_left_over_while_it_is_there(
    pools: NodePools, spec: NodePoolSpec, renewable: Lease, until: Until
) -> None:
    pools.create(spec, renewable)
    until(active(pools))

    assert len(pools.instances("train")) == 2
    assert list(pools.leftovers()) == []


def test_what_a_pool_is_made_of_is_told(pools: NodePools, spec: NodePoolSpec, renewable: Lease) -> None:
    pools.create(spec, renewable)

    pool = pools.get("train")

    assert pool.machine_type == spec.profile.instance_types[0]
    assert (pool.claimed, pool.keep) == (True, False)
