"""Leases in runs of Airflow on simulated clouds: work that outlasts its lease lives on, and what is lost is told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from airflow_multicluster import lease_keeping
from multicluster.brackets import keeping

pytestmark = pytest.mark.usefixtures("judged")


@pytest.fixture
def often(monkeypatch):
    """Let leases of a few seconds be looked at twenty times a second."""
    monkeypatch.setattr(keeping, "EVERY", timedelta(seconds=0.05))
    monkeypatch.setattr(lease_keeping, "PAUSE_SECONDS", 0.05)


def nothing_left(world):
    report = world.report()
    return (report.pools_left, report.instances_left) == ((), ())


@pytest.mark.usefixtures("often")
@pytest.mark.parametrize(
    ("dag_id", "cluster"),
    [
        ("leased", "gpu-use1"),
        ("leased_sync", "gpu-use1"),
        ("leased", "gpu-euw4"),
        ("leased_sync", "gpu-euw4"),
        ("leased_job", "gpu-use1"),
        ("leased_job_sync", "gpu-use1"),
    ],
)
def test_work_that_outlasts_a_lease_keeps_its_pool(run, world, dag_id, cluster):
    outcome = run(dag_id, cluster=cluster)

    assert (outcome.state, set(outcome.tasks.values())) == ("success", {"success"}), outcome.reasons
    assert outcome.results["train.after"] > outcome.results["train.before"]
    assert nothing_left(world)


def test_a_pod_whose_pool_is_lost_fails_at_once_with_the_next_step(run, world):
    outcome = run("pool_lost_fail")

    assert (outcome.state, outcome.tasks["train.fit"]) == ("failed", "failed")
    assert "clear the bracket 'train' from its create_node_pool" in outcome.reasons["train.fit"]
    assert outcome.tasks["train.node_pool_gone"] == "success"
    assert nothing_left(world)


@pytest.mark.parametrize(
    ("dag_id", "cluster"),
    [
        ("pool_lost_recreate", "gpu-use1"),
        ("pool_lost_recreate", "gpu-euw4"),
        ("pool_lost_recreate_sync", "gpu-use1"),
        ("job_pool_lost_recreate", "gpu-use1"),
    ],
)
def test_a_pod_whose_pool_is_lost_runs_in_one_that_is_made_again(run, world, dag_id, cluster):
    before = created(world)

    outcome = run(dag_id, cluster=cluster)

    assert (outcome.state, set(outcome.tasks.values())) == ("success", {"success"}), outcome.reasons
    assert created(world) - before == 2
    assert nothing_left(world)


def created(world):
    report = world.report()
    return report.aws.calls.get("eks:CreateNodegroup", 0) + report.google.calls.get("container:nodePools.create", 0)
