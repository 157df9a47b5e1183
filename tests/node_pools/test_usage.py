"""GPU-hours and money: what is known, and nothing where it is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from multicluster.node_pools.pool import NodePool, NodePoolState
from multicluster.node_pools.prices import bundled
from multicluster.node_pools.profile import Gpu, NodePoolProfile
from multicluster.node_pools.usage import usage

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
POOL = NodePool(
    name="mc-train",
    state=NodePoolState.ACTIVE,
    status="ACTIVE",
    created_at=NOW - timedelta(minutes=90),
    size=2,
    node_selector=("pool", "mc-train"),
    machine_type="g6.12xlarge",
)
PROFILE = NodePoolProfile(instance_types=("g6.12xlarge",), gpu=Gpu(per_node=4))


def used(pool=POOL, *profiles, kind="eks", region="us-east-1"):
    return usage(pool, kind=kind, region=region, profiles=profiles or (PROFILE,), prices=bundled(), now=NOW)


def test_gpu_hours_are_nodes_by_gpus_by_age_and_money_follows_the_list():
    found = used()

    assert (found.age, found.gpus_per_node) == (timedelta(minutes=90), 4)
    assert found.gpu_hours == pytest.approx(12)
    assert found.usd == pytest.approx(2 * 1.5 * 4.602)
    assert found.price_date == "2026-07-20"


@pytest.mark.parametrize("missing", [{"created_at": None}, {"size": None}])
def test_without_age_or_size_nothing_is_reckoned(missing):
    found = used(replace(POOL, **missing))

    assert (found.gpu_hours, found.usd) == (None, None)


@pytest.mark.parametrize(
    ("profiles", "region"),
    [
        ([PROFILE], "eu-west-1"),
        ([PROFILE], None),
        ([PROFILE.model_copy(update={"capacity_type": "spot"})], "us-east-1"),
        ([PROFILE, PROFILE.model_copy(update={"capacity_type": "spot"})], "us-east-1"),
        ([PROFILE.model_copy(update={"instance_types": ("g6.12xlarge", "g5.12xlarge")})], "us-east-1"),
        ([NodePoolProfile(instance_types=("g5.xlarge",))], "us-east-1"),
    ],
    ids=["another region", "no region", "spot", "perhaps spot", "perhaps another type", "nobody's profile"],
)
def test_no_price_is_told_that_may_be_a_wrong_one(profiles, region):
    found = used(POOL, *profiles, region=region)

    assert (found.usd, found.price_date) == (None, None)
    assert found.gpu_hours == pytest.approx(12)


def test_what_a_profile_calls_a_gpu_may_be_a_slice_and_is_not_counted_where_the_machine_is_known():
    sliced = NodePoolProfile(instance_types=("g6.12xlarge",), gpu=Gpu(resource="nvidia.com/gpu.shared", per_node=40))

    assert used(POOL, sliced).gpus_per_node == 4


def test_a_machine_that_the_table_does_not_know_has_the_gpus_of_its_profile():
    pool, profile = replace(POOL, machine_type="g99.huge"), PROFILE.model_copy(update={"instance_types": ("g99.huge",)})

    assert used(pool, profile).gpus_per_node == 4
    assert used(pool, PROFILE).gpus_per_node is None


def test_a_pool_without_gpus_uses_none():
    pool, profile = replace(POOL, machine_type="m5.xlarge"), NodePoolProfile(instance_types=("m5.xlarge",))

    assert used(pool, profile).gpu_hours == 0


def test_every_machine_with_a_price_has_its_gpus_told_and_a_date():
    prices = bundled()

    assert {kind for kind, _, _ in prices.prices} == {"eks", "gke"}
    for (kind, _, machine_type), price in prices.prices.items():
        assert prices.gpus_per_node(kind, machine_type)
        assert date.fromisoformat(price.date) <= NOW.date()
        assert 0.1 < price.usd_per_hour < 200
