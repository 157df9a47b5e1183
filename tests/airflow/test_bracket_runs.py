"""Every way a bracket can go, run by Airflow against simulated clouds."""

from __future__ import annotations

import pytest
from cloud_judge.judge import operation_name

pytestmark = pytest.mark.usefixtures("judged")
GREEN = {
    "train.create_node_pool": "success",
    "train.node_pool_ready": "success",
    "train.fit": "success",
    "train.delete_node_pool": "success",
    "train.node_pool_gone": "success",
}


def green_but(**states):
    return {**GREEN, **{f"train.{name}": state for name, state in states.items()}}


CLOUDS = pytest.mark.parametrize("cluster", ["gpu-use1", "gpu-euw4"])


def nothing_left(world):
    report = world.report()
    return (report.pools_left, report.instances_left) == ((), ())


@pytest.mark.parametrize("dag_id", ["work", "sync"])
@CLOUDS
def test_work_succeeds_and_nothing_is_left(run, world, dag_id, cluster):
    outcome = run(dag_id, cluster=cluster)

    assert (outcome.state, outcome.tasks) == ("success", GREEN)
    assert nothing_left(world)


@pytest.mark.parametrize(
    ("cluster", "expected"),
    [
        ("gpu-use1", {"eks:CreateNodegroup", "eks:DeleteNodegroup", "ec2:DescribeInstances"}),
        ("gpu-euw4", {"container:clusters.nodePools.create", "container:clusters.nodePools.delete"}),
    ],
)
def test_what_a_bracket_asks_of_the_clouds_is_judged(run, judged, cluster, expected):
    run("work", cluster=cluster)

    assert expected <= {operation_name(exchange) for exchange in judged}


@pytest.mark.parametrize("dag_id", ["work", "sync"])
def test_pain_15_work_fails_and_the_run_is_red_and_nothing_is_left(run, world, dag_id):
    outcome = run(dag_id, command="exit 3")

    assert ("failed", green_but(fit="failed")) == (outcome.state, outcome.tasks)
    assert nothing_left(world)


def test_pain_29_work_that_takes_too_long_ends_and_its_pool_is_deleted(run, world):
    outcome = run("endless")

    assert ("failed", green_but(fit="failed")) == (outcome.state, outcome.tasks)
    assert nothing_left(world)


@CLOUDS
def test_pain_15_a_refused_create_ends_red_with_the_clouds_words(run, world, cluster):
    world.inject("create-denied")

    outcome = run("work", cluster=cluster)

    upstream = {"node_pool_ready": "upstream_failed", "fit": "upstream_failed"}
    assert ("failed", green_but(create_node_pool="failed", **upstream)) == (outcome.state, outcome.tasks)
    assert "not authorized" in outcome.reasons["train.create_node_pool"]
    assert nothing_left(world)


@pytest.mark.parametrize("dag_id", ["work", "sync"])
@pytest.mark.parametrize(
    "fate",
    [
        ("gpu-use1", "create-fails", "failed to join"),
        ("gpu-use1", "no-capacity", "InsufficientInstanceCapacity"),
        ("gpu-use1", "no-quota", "VcpuLimitExceeded"),
        ("gpu-euw4", "create-fails", "failed to join"),
        ("gpu-euw4", "no-capacity", "ZONE_RESOURCE_POOL_EXHAUSTED"),
    ],
)
def test_a_pool_that_cannot_come_up_ends_red_with_the_clouds_words(run, world, dag_id, fate):
    cluster, fault, words = fate
    world.inject(fault)

    outcome = run(dag_id, cluster=cluster)

    assert ("failed", green_but(node_pool_ready="failed", fit="upstream_failed")) == (outcome.state, outcome.tasks)
    assert words in outcome.reasons["train.node_pool_ready"]
    assert nothing_left(world)


@pytest.mark.parametrize(
    ("dag_id", "cluster"), [("impatient", "gpu-use1"), ("impatient", "gpu-euw4"), ("impatient_sync", "gpu-use1")]
)
def test_nodes_that_never_offer_a_gpu_end_red_with_the_diagnosis(run, world, dag_id, cluster):
    world.inject("no-gpu")

    outcome = run(dag_id, cluster=cluster)

    assert ("failed", green_but(node_pool_ready="failed", fit="upstream_failed")) == (outcome.state, outcome.tasks)
    assert "nvidia.com/gpu" in outcome.reasons["train.node_pool_ready"]
    assert nothing_left(world)


@pytest.mark.parametrize("dag_id", ["work", "sync"])
@CLOUDS
def test_a_delete_refused_once_is_asked_again(run, world, dag_id, cluster):
    world.inject("delete-refused")

    outcome = run(dag_id, cluster=cluster)

    assert (outcome.state, outcome.tasks) == ("success", GREEN)
    assert world.faults.struck("delete-refused") == 1
    assert nothing_left(world)


@CLOUDS
def test_a_delete_that_failed_once_is_asked_again_by_the_proof(run, world, cluster):
    world.inject("delete-fails", times=1)

    outcome = run("work", cluster=cluster)

    assert (outcome.state, outcome.tasks) == ("success", GREEN)
    assert nothing_left(world)


@pytest.mark.parametrize(("dag_id", "cluster"), [("work", "gpu-use1"), ("work", "gpu-euw4"), ("sync", "gpu-use1")])
def test_pain_15_a_pool_that_cannot_be_deleted_is_a_red_run_that_names_it(run, world, dag_id, cluster, clean_up):
    world.inject("delete-fails")

    outcome = run(dag_id, cluster=cluster)

    (left,) = world.report().pools_left
    assert ("failed", green_but(node_pool_gone="failed")) == (outcome.state, outcome.tasks)
    assert left.split("/")[1] in outcome.reasons["train.node_pool_gone"]
    assert "Terminate process is suspended" in outcome.reasons["train.node_pool_gone"]


@CLOUDS
@pytest.mark.parametrize(
    ("fault", "options"),
    [
        ("lost-response", {"operation": "CreateNodegroup|nodePools.create"}),
        ("lost-response", {"operation": "DeleteNodegroup|nodePools.delete"}),
        ("throttled", {"times": 8}),
        ("server-error", {"times": 8, "operation": "DescribeNodegroup|nodePools.get"}),
        ("api-server-error", {"times": 2, "operation": "list nodes"}),
        ("not-found-yet", {"times": 2}),
    ],
    ids=["create-answer-lost", "delete-answer-lost", "throttled", "cloud-fails", "cluster-fails", "not-found-yet"],
)
def test_what_passes_is_waited_for(run, world, cluster, fault, options):
    world.inject(fault, **options)

    outcome = run("work", cluster=cluster)

    assert (outcome.state, outcome.tasks) == ("success", GREEN)
    assert world.faults.struck(fault) > 0
    assert nothing_left(world)


def test_brackets_nested_and_twice_in_a_dag(run, world):
    outcome = run("nested")

    assert outcome.state == "success"
    assert set(outcome.tasks.values()) == {"success"}
    assert nothing_left(world)


@pytest.mark.parametrize(("dag_id", "pools"), [("inside", 2), ("mapped_pods", 1), ("pods_on_clusters", 0)])
def test_brackets_in_brackets_and_mapped_pods(run, world, dag_id, pools):
    before = created(world)

    outcome = run(dag_id)

    assert (outcome.state, set(outcome.tasks.values())) == ("success", {"success"})
    assert created(world) - before == pools
    assert nothing_left(world)


def test_mapped_over_three_clusters_each_has_its_pool(run, world):
    before = created(world)

    outcome = run("mapped")

    assert outcome.state == "success"
    assert {f"train.gpu.fit[{index}]": "success" for index in range(3)}.items() <= outcome.tasks.items()
    assert len(outcome.tasks) == 15
    assert created(world) - before == 3
    assert nothing_left(world)


def created(world):
    report = world.report()
    return report.aws.calls.get("eks:CreateNodegroup", 0) + report.google.calls.get("container:nodePools.create", 0)
