"""What every implementation of NodePools promises (multicluster/node_pools/protocol.py)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any

import pytest

from multicluster.errors import (
    CloudUnavailableError,
    NodePoolBusyError,
    NodePoolConflictError,
    NodePoolError,
    NodePoolNotFoundError,
    NodePoolRefusedError,
)
from multicluster.node_pools.lease import Lease
from multicluster.node_pools.node_facts import NodeFacts
from multicluster.node_pools.pool import NodePool, NodePoolSpec, NodePoolState
from multicluster.node_pools.protocol import NodePools
from multicluster.node_pools.readiness import readiness

Until = Callable[[Callable[[], Any]], Any]
no_states = pytest.mark.not_on_moto("test_moto_has_no_states_between")
no_machines = pytest.mark.not_on_moto("test_moto_rents_no_machines")
no_faults = pytest.mark.not_on_moto("test_moto_knows_no_faults_of_the_cloud")


class NoLease(Lease):
    """Makes a pool as somebody without our toolkit would: without our labels."""

    def to_labels(self) -> dict[str, str]:
        return {}


def active(pools: NodePools, name: str = "train") -> Callable[[], NodePool | None]:
    def look() -> NodePool | None:
        pool = pools.fill(name)
        return pool if pool.state is NodePoolState.ACTIVE and len(pools.instances(name)) == 2 else None

    return look


def there(pools: NodePools, name: str = "train") -> Callable[[], NodePool | None]:
    """Look for a pool that the cloud calls active; whether it has machines does not matter."""

    def look() -> NodePool | None:
        pool = pools.get(name)
        return pool if pool.state is NodePoolState.ACTIVE else None

    return look


def failed(pools: NodePools, name: str = "train") -> Callable[[], NodePool | None]:
    def look() -> NodePool | None:
        pool = pools.get(name)
        return pool if pool.state is NodePoolState.FAILED else None

    return look


def gone(pools: NodePools, name: str = "train") -> Callable[[], bool]:
    def look() -> bool:
        try:
            pools.get(name)
        except NodePoolNotFoundError:
            return True
        return False

    return look


def names(pools: NodePools) -> list[str]:
    return sorted(pool.name for pool in pools.list())


def remake(pools: NodePools, spec: NodePoolSpec, lease: Lease) -> Callable[[], NodePool | None]:
    def ask() -> NodePool | None:
        try:
            return pools.create(spec, lease)
        except NodePoolBusyError:
            return None

    return ask


def test_create_answers_with_the_pool_asked_for(pools: NodePools, spec: NodePoolSpec, lease: Lease) -> None:
    pool = pools.create(spec, lease)

    assert (pool.name, pool.size, pool.lease) == ("train", 2, lease)


@no_states
def test_create_does_not_wait_for_the_pool(pools: NodePools, spec: NodePoolSpec, lease: Lease) -> None:
    pool = pools.create(spec, lease)

    assert pool.state is NodePoolState.PENDING
    assert pool.problems == ()


def test_the_lease_is_read_back_from_the_cloud(ground: Any, spec: NodePoolSpec, lease: Lease) -> None:
    ground.pools().create(spec, lease)

    assert ground.pools().get("train").lease == lease


def test_a_lease_is_kept_in_whole_seconds_of_utc(pools: NodePools, spec: NodePoolSpec, lease: Lease) -> None:
    odd = replace(lease, expires_at=lease.expires_at + timedelta(microseconds=999_999))
    pools.create(spec, odd)

    read = pools.get("train").lease

    assert read is not None
    assert read.expires_at == lease.expires_at
    assert read.expires_at.tzinfo is UTC


def test_create_asked_twice_by_one_owner_is_one_pool(pools: NodePools, spec: NodePoolSpec, lease: Lease) -> None:
    first = pools.create(spec, lease)
    second = pools.create(spec, lease)

    assert second.name == first.name
    assert [name for name in names(pools) if name == "train"] == ["train"]


def test_create_asked_again_later_keeps_the_first_lease(pools: NodePools, spec: NodePoolSpec, lease: Lease) -> None:
    pools.create(spec, lease)

    again = pools.create(spec, replace(lease, expires_at=lease.expires_at + timedelta(hours=1)))

    assert again.lease == lease


def test_create_adopts_the_pool_of_the_same_owner_once_it_is_active(
    ground: Any, pools: NodePools, spec: NodePoolSpec, lease: Lease, until: Until
) -> None:
    pools.create(spec, lease)
    until(there(pools))

    pool = ground.pools().create(spec, lease)

    assert pool.state is NodePoolState.ACTIVE


def test_create_refuses_the_pool_of_another_owner(pools: NodePools, spec: NodePoolSpec, lease: Lease) -> None:
    pools.create(spec, lease)

    with pytest.raises(NodePoolConflictError, match=lease.owner):
        pools.create(spec, replace(lease, owner="somebody-else"))


def test_create_refuses_the_pool_of_a_stranger(pools: NodePools, spec: NodePoolSpec, lease: Lease) -> None:
    pools.create(spec, NoLease(owner="x", expires_at=lease.expires_at))

    with pytest.raises(NodePoolConflictError, match="no lease"):
        pools.create(spec, lease)


@no_faults
def test_create_after_a_lost_answer_finds_the_pool_it_made(
    ground: Any, pools: NodePools, spec: NodePoolSpec, lease: Lease, until: Until
) -> None:
    ground.lose_an_answer()
    try:
        pools.create(spec, lease)
    except CloudUnavailableError:
        pool = ground.pools().create(spec, lease)
    else:
        pool = pools.get("train")  # the SDK asked again by itself

    assert pool.lease == lease
    assert [name for name in names(pools) if name == "train"] == ["train"]


@no_faults
def test_create_of_a_pool_that_cannot_be_read_yet_ends_with_that_pool(
    ground: Any, pools: NodePools, spec: NodePoolSpec, lease: Lease, until: Until
) -> None:
    pools.create(spec, lease)
    ground.read_late()

    pool = until(remake(pools, spec, lease))

    assert pool.lease == lease
    assert until(lambda: names(pools).count("train") == 1)


def test_a_creation_that_failed_is_failed_in_the_clouds_words(
    ground: Any, pools: NodePools, spec: NodePoolSpec, lease: Lease, until: Until
) -> None:
    ground.fail_creation()
    pools.create(spec, lease)

    pool = until(failed(pools))

    assert pool.problems[0].code
    assert "join" in pool.problems[0].message


@no_states
def test_create_makes_a_failed_pool_of_the_same_owner_anew(
    ground: Any, pools: NodePools, spec: NodePoolSpec, lease: Lease, until: Until
) -> None:
    ground.fail_creation()
    pools.create(spec, lease)
    until(failed(pools))
    if hasattr(ground, "fake"):
        ground.fake.failure = None

    with pytest.raises(NodePoolBusyError, match="made anew"):
        pools.create(spec, lease)
    pool = until(remake(pools, spec, lease))

    assert pool.state is NodePoolState.PENDING
    assert pool.problems == ()


@no_states
def test_create_leaves_a_failed_pool_of_another_owner_alone(
    ground: Any, pools: NodePools, spec: NodePoolSpec, lease: Lease, until: Until
) -> None:
    ground.fail_creation()
    pools.create(spec, lease)
    until(failed(pools))

    with pytest.raises(NodePoolConflictError):
        pools.create(spec, replace(lease, owner="somebody-else"))

    assert pools.get("train").state is NodePoolState.FAILED


@no_states
def test_create_while_the_pool_goes_away_is_busy_and_then_makes_it(
    pools: NodePools, spec: NodePoolSpec, lease: Lease, until: Until
) -> None:
    pools.create(spec, lease)
    until(there(pools))
    pools.delete("train")

    with pytest.raises(NodePoolBusyError):
        pools.create(spec, lease)
    pool = until(remake(pools, spec, lease))

    assert pool.state is NodePoolState.PENDING


@no_faults
def test_a_refused_creation_is_no_passing_trouble(
    ground: Any, pools: NodePools, spec: NodePoolSpec, lease: Lease
) -> None:
    ground.deny_creation()

    with pytest.raises(NodePoolRefusedError, match="not authorized") as caught:
        pools.create(spec, lease)

    assert not caught.value.transient


@no_faults
def test_a_cloud_in_trouble_is_passing_trouble(ground: Any, pools: NodePools) -> None:
    ground.throttle()

    with pytest.raises(CloudUnavailableError) as caught:
        pools.get("train")

    assert caught.value.transient


def test_get_of_an_unknown_pool_is_not_found(pools: NodePools) -> None:
    with pytest.raises(NodePoolNotFoundError, match="never-made"):
        pools.get("never-made")


def test_fill_of_an_unknown_pool_is_not_found(pools: NodePools) -> None:
    with pytest.raises(NodePoolNotFoundError, match="never-made"):
        pools.fill("never-made")


def test_delete_of_an_unknown_pool_is_not_found(pools: NodePools) -> None:
    with pytest.raises(NodePoolNotFoundError, match="never-made"):
        pools.delete("never-made")


def test_a_pool_becomes_active(pools: NodePools, spec: NodePoolSpec, lease: Lease, until: Until) -> None:
    pools.create(spec, lease)

    pool = until(there(pools))

    assert pool.problems == ()


@no_machines
def test_a_pool_that_is_filled_gets_its_machines_once(
    pools: NodePools, spec: NodePoolSpec, lease: Lease, until: Until
) -> None:
    pools.create(spec, lease)
    before = pools.instances("train")

    until(active(pools))
    machines = pools.instances("train")
    pools.fill("train")

    assert before == ()
    assert len(set(machines)) == 2
    assert pools.instances("train") == machines


@no_machines
def test_pods_can_run_on_a_pool_that_is_filled(
    ground: Any, pools: NodePools, spec: NodePoolSpec, lease: Lease, until: Until
) -> None:
    pools.create(spec, lease)

    def ready() -> bool:
        pool = pools.fill("train")
        return readiness(pool, size=2, gpu=spec.profile.gpu, nodes=ground.nodes("train")).ready

    first = ready()

    assert not first
    assert until(ready)


@no_machines
def test_nodes_carry_the_label_that_was_known_before(
    ground: Any, pools: NodePools, spec: NodePoolSpec, lease: Lease, until: Until
) -> None:
    key, value = pools.node_selector("train")

    def all_there() -> list[NodeFacts] | None:
        """Real nodes come one after the other, and GKE calls a pool active before they do."""
        nodes = [node for node in ground.nodes("train") if node.labels.get(key) == value]
        return nodes if len(nodes) >= spec.size else None

    pool = pools.create(spec, lease)
    until(active(pools))
    nodes = until(all_there)

    assert pool.node_selector == (key, value)
    assert len(nodes) == 2


@no_faults
def test_a_lack_of_capacity_is_told_while_the_pool_still_waits(
    ground: Any, pools: NodePools, spec: NodePoolSpec, lease: Lease, until: Until
) -> None:
    ground.lack_capacity()
    pools.create(spec, lease)

    def lacking() -> NodePool | None:
        pool = pools.fill("train")
        return pool if pool.problems else None

    pool = until(lacking)

    assert pool.state is not NodePoolState.FAILED
    assert all(problem.capacity for problem in pool.problems)
    assert pools.instances("train") == ()


def test_list_yields_our_pools_and_those_of_strangers(
    pools: NodePools, spec: NodePoolSpec, lease: Lease, until: Until
) -> None:
    pools.create(spec, lease)
    until(there(pools))
    pools.create(replace(spec, name="strange"), NoLease(owner="x", expires_at=lease.expires_at))

    found = {pool.name: pool.lease for pool in pools.list()}

    assert found["train"] == lease
    assert found["strange"] is None


def test_a_deleted_pool_ends_in_not_found(pools: NodePools, spec: NodePoolSpec, lease: Lease, until: Until) -> None:
    pools.create(spec, lease)
    until(there(pools))

    pools.delete("train")

    assert until(gone(pools))
    assert "train" not in names(pools)


@no_states
def test_delete_does_not_wait_for_the_end(pools: NodePools, spec: NodePoolSpec, lease: Lease, until: Until) -> None:
    pools.create(spec, lease)
    until(there(pools))

    pools.delete("train")

    assert pools.get("train").state is NodePoolState.DELETING


@no_states
def test_delete_asked_again_while_deleting_does_nothing(
    pools: NodePools, spec: NodePoolSpec, lease: Lease, until: Until
) -> None:
    pools.create(spec, lease)
    until(there(pools))
    pools.delete("train")

    pools.delete("train")

    assert pools.get("train").state is NodePoolState.DELETING
    assert until(gone(pools))


@no_states
def test_delete_of_a_pool_that_is_being_made_is_done_or_busy_until_it_can_be_done(
    pools: NodePools, spec: NodePoolSpec, lease: Lease, until: Until
) -> None:
    pools.create(spec, lease)

    def deleted() -> bool:
        try:
            pools.delete("train")
        except NodePoolBusyError:
            return False
        return True

    until(deleted)

    assert until(gone(pools))


@no_states
def test_a_deletion_that_failed_is_failed_in_the_clouds_words_and_can_be_asked_again(
    ground: Any, pools: NodePools, spec: NodePoolSpec, lease: Lease, until: Until
) -> None:
    pools.create(spec, lease)
    until(there(pools))
    ground.fail_deletion()
    pools.delete("train")

    pool = until(failed(pools))
    pools.delete("train")

    assert pool.problems[0].message
    assert until(gone(pools))


@no_machines
def test_machines_are_told_until_the_last_is_gone(
    pools: NodePools, spec: NodePoolSpec, lease: Lease, until: Until
) -> None:
    pools.create(spec, lease)
    until(active(pools))
    pools.delete("train")

    while_deleting = pools.instances("train")
    until(gone(pools))

    assert len(while_deleting) == 2
    assert until(lambda: pools.instances("train") == ())


@no_machines
def test_machines_of_other_pools_are_not_told(pools: NodePools, spec: NodePoolSpec, lease: Lease, until: Until) -> None:
    pools.create(spec, lease)
    until(active(pools))

    assert pools.instances("trai") == ()
    assert pools.instances("train-2") == ()


def test_only_errors_of_ours_leave(pools: NodePools) -> None:
    with pytest.raises(NodePoolError) as caught:
        pools.get("No Name At All!")

    assert type(caught.value).__module__ == "multicluster.errors"


def test_what_is_asked_of_the_simulators_clouds_is_judged(
    pools: NodePools, judged: list[Any], request: pytest.FixtureRequest
) -> None:
    list(pools.list())

    ground = request.node.callspec.params["ground"]
    assert bool(judged) == (ground not in {"fake", "moto", "moto-server"})
