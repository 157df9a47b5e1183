"""A pod whose node pool gets no machine says so in the words of its cloud (pain 10)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from multicluster.errors import NodePoolBusyError, NodePoolNotFoundError
from multicluster.simulator import Delays

SOON = {"schedule_timeout_seconds": 2, "startup_timeout_seconds": 2}
WORDS = {
    "drive": "InsufficientInstanceCapacity: Could not launch On-Demand Instances.",
    "drive_gke": "ZONE_RESOURCE_POOL_EXHAUSTED: The zone 'projects/",
}


def gone(pools, name):
    """Ask for the pool's deletion; whether it is gone already."""
    try:
        pools.delete(name)
    except NodePoolBusyError:
        return False
    except NodePoolNotFoundError:
        return True
    return False


@pytest.fixture(params=WORDS)
def barren(request, monkeypatch):
    """Make a node pool on a cloud that has no machine, and wait until the cloud has said so; take it away again."""
    from airflow_multicluster import airflow_registry
    from multicluster.node_pools.lease import Lease
    from multicluster.node_pools.pool import NodePoolSpec

    drive = request.getfixturevalue(request.param)
    world, cluster = drive.world, airflow_registry()[drive.cluster]
    monkeypatch.setattr(world.groups, "delays", Delays(create=0, capacity_retry=0.02, capacity_timeout=600))
    world.inject("no-capacity", target=".*/mc-barren-0")
    spec = NodePoolSpec(name="mc-barren-0", size=1, profile=cluster.profile("l4"), max_lifetime_seconds=3600)
    pools = cluster.node_pools()
    pools.create(spec, Lease(owner="0" * 16, expires_at=datetime.now(UTC) + timedelta(hours=1)))
    world.wait(lambda: pools.fill(spec.name).problems)
    yield drive, WORDS[request.param]
    world.faults.clear()
    world.wait(lambda: gone(pools, spec.name))


def test_pain_10_no_capacity_is_told_in_the_clouds_words(barren, fit):
    drive, words = barren
    ran = drive.run(fit(node_pool={"cluster": drive.cluster, "name": "mc-barren-0", "profile": "l4"}, **SOON))

    (line,) = [line for line in ran.log if " has not started: " in line]
    assert f"the cloud has no machine for the pod's node pool: {words}" in line
    assert words in str(ran.error).splitlines()[-1]
