"""Gone, limits, adoption: the other pure judgements."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from multicluster.errors import NodePoolBusyError, NodePoolConflictError, NodePoolLimitError
from multicluster.node_pools.adoption import Adoption, adopt
from multicluster.node_pools.gone import gone
from multicluster.node_pools.lease import Lease
from multicluster.node_pools.limits import refuse_beyond
from multicluster.node_pools.pool import NodePool, NodePoolSpec, NodePoolState, Problem
from multicluster.node_pools.profile import NodePoolProfile

Make = Callable[..., NodePool]
LEASE = Lease(owner="a1", expires_at=datetime(2026, 11, 21, tzinfo=UTC))


def test_nothing_left_is_gone() -> None:
    verdict = gone("train", pool=None, instances=(), nodes=())

    assert verdict.gone
    assert "0 pools, 0 machines, 0 nodes" in verdict.reason


def test_a_pool_that_the_cloud_knows_is_not_gone(pool: Make) -> None:
    problem = Problem(code="Ec2SecurityGroupDeletionFailure", message="sg-1 is in use")
    left = pool(state=NodePoolState.FAILED, status="DELETE_FAILED", problems=(problem,))

    verdict = gone("train", pool=left, instances=(), nodes=())

    assert (verdict.gone, verdict.pools) == (False, ("train",))
    assert "DELETE_FAILED; Ec2SecurityGroupDeletionFailure: sg-1 is in use" in verdict.reason


def test_a_machine_that_outlives_its_pool_is_named() -> None:
    verdict = gone("train", pool=None, instances=("i-2", "i-1"), nodes=())

    assert (verdict.gone, verdict.instances) == (False, ("i-1", "i-2"))
    assert "2 machines left: i-1, i-2" in verdict.reason


def test_a_node_that_outlives_its_machine_is_named() -> None:
    verdict = gone("train", pool=None, instances=(), nodes=("ip-10-0-0-1",))

    assert (verdict.gone, verdict.nodes) == (False, ("ip-10-0-0-1",))
    assert "1 nodes left: ip-10-0-0-1" in verdict.reason


@dataclass(frozen=True, kw_only=True)
class Limits:
    pools: int | None = None
    nodes: int | None = None
    max_lifetime_seconds: int | None = None


SPEC = NodePoolSpec(name="new", size=2, profile=NodePoolProfile(instance_types=("g6.xlarge",)))


def refuse(limits: Limits, *existing: NodePool, lifetime: float | None = 60, spec: NodePoolSpec = SPEC) -> None:
    refuse_beyond(limits, existing, spec, lifetime_seconds=lifetime)


@pytest.mark.parametrize(
    ("limits", "numbers"),
    [
        (Limits(pools=2), "3 pools of ours; limits.pools of the registry is 2"),
        (Limits(nodes=6), "7 nodes of ours; limits.nodes of the registry is 6"),
    ],
)
def test_what_goes_beyond_a_limit_is_refused_with_the_numbers(pool: Make, limits: Limits, numbers: str) -> None:
    existing = (pool(name="one", size=4, lease=LEASE), pool(name="two", size=1, lease=LEASE))

    with pytest.raises(NodePoolLimitError, match=numbers) as caught:
        refuse(limits, *existing)

    assert "one (4), two (1)" in str(caught.value)


@pytest.mark.parametrize("limits", [Limits(), Limits(pools=3, nodes=7, max_lifetime_seconds=60)])
def test_what_keeps_within_the_limits_is_not_refused(pool: Make, limits: Limits) -> None:
    existing = (pool(name="one", size=4, lease=LEASE), pool(name="two", size=1, lease=LEASE))

    assert refuse(limits, *existing) is None  # type: ignore[func-returns-value]


def test_pools_of_strangers_are_not_counted(pool: Make) -> None:
    assert refuse(Limits(pools=1, nodes=2), pool(name="theirs", size=100)) is None  # type: ignore[func-returns-value]


def test_asking_again_for_what_was_granted_is_not_refused(pool: Make) -> None:
    granted = pool(name="new", size=2, lease=LEASE)

    assert refuse(Limits(pools=1, nodes=2), granted) is None  # type: ignore[func-returns-value]


@pytest.mark.parametrize("lifetime", [61, None])
def test_a_lifetime_beyond_the_limit_is_refused(lifetime: float | None) -> None:
    with pytest.raises(NodePoolLimitError, match="maxLifetimeSeconds 60"):
        refuse(Limits(max_lifetime_seconds=60), lifetime=lifetime)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (NodePoolState.PENDING, Adoption.KEEP),
        (NodePoolState.ACTIVE, Adoption.KEEP),
        (NodePoolState.FAILED, Adoption.REMAKE),
    ],
)
def test_a_pool_of_the_same_owner_is_kept_or_made_anew(pool: Make, state: NodePoolState, expected: Adoption) -> None:
    assert adopt(pool(state=state, lease=LEASE), LEASE) is expected


def test_a_pool_of_the_same_owner_that_goes_away_is_busy(pool: Make) -> None:
    with pytest.raises(NodePoolBusyError) as caught:
        adopt(pool(state=NodePoolState.DELETING, lease=LEASE), LEASE)

    assert caught.value.transient


@pytest.mark.parametrize("state", list(NodePoolState))
@pytest.mark.parametrize("lease", [None, replace(LEASE, owner="b2")])
def test_a_pool_of_anybody_else_is_left_alone_in_every_state(pool: Make, state: Any, lease: Lease | None) -> None:
    with pytest.raises(NodePoolConflictError):
        adopt(pool(state=state, lease=lease), LEASE)
