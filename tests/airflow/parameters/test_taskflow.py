"""Functions as pods, run by Airflow on the simulator."""

from __future__ import annotations

import pytest
from airflow.providers.cncf.kubernetes.decorators.kubernetes import _KubernetesDecoratedOperator
from airflow.providers.cncf.kubernetes.decorators.kubernetes_cmd import _KubernetesCmdDecoratedOperator
from airflow.sdk import DAG, task

from airflow_multicluster import ClusterPodOperator
from airflow_multicluster.decorators.cluster_pod import ClusterPodDecoratedOperator
from airflow_multicluster.decorators.cluster_pod_cmd import ClusterPodCmdDecoratedOperator

TWINS = [
    (ClusterPodDecoratedOperator, _KubernetesDecoratedOperator),
    (ClusterPodCmdDecoratedOperator, _KubernetesCmdDecoratedOperator),
]


def test_functions_hand_their_results_from_pod_to_pod(run):
    outcome = run("taskflow")

    assert outcome.reasons == {}
    assert outcome.results["add"] == {"sum": 7}
    assert outcome.results["double"] == {"doubled": 14}
    assert outcome.results["write"] == 15


def test_functions_run_on_the_nodes_of_a_pool(run, world):
    outcome = run("taskflow_pool")

    nodes = world.entrances["gpu-use1"].kubernetes.objects("nodes")
    of_pool = [
        one["metadata"]["name"]
        for one in nodes
        if one["metadata"]["labels"].get("eks.amazonaws.com/nodegroup") == "mc-room-0"
    ]
    assert (outcome.state, outcome.results["where"]) == ("success", of_pool[0])


def test_mapped_functions_each_have_a_pod(run):
    outcome = run("taskflow_mapped")

    assert outcome.tasks == {"square[0]": "success", "square[1]": "success"}


def test_a_function_that_fails_fails_its_task(run):
    outcome = run("taskflow_fails")

    assert (outcome.state, outcome.tasks) == ("failed", {"fail": "failed"})
    assert "exit_code': 7" in outcome.reasons["fail"]


@pytest.mark.parametrize(("ours", "stock"), TWINS)
def test_decorators_are_the_stock_ones_with_a_cluster(ours, stock):
    assert issubclass(ours, stock)
    assert issubclass(ours, ClusterPodOperator)
    assert set(ours.template_fields) == {*stock.template_fields, "cluster", "node_pool"}


@pytest.mark.parametrize("decorator", ["cluster_pod", "cluster_pod_cmd"])
def test_a_group_is_taken_as_node_pool_mapped_or_not(decorator):
    from airflow_multicluster import NodePoolTaskGroup

    with DAG("d", schedule=None) as dag, NodePoolTaskGroup("train", cluster="gpu-use1", profile="l4") as pool:

        @getattr(task, decorator)(node_pool=pool, image="x")
        def fit(number): ...

        fit(1)
        fit.override(task_id="many").expand(number=[1, 2])

    plain, mapped = dag.get_task("train.fit"), dag.get_task("train.many")
    assert plain.node_pool.operator.task_id == "train.create_node_pool"
    assert mapped.partial_kwargs["node_pool"].operator.task_id == "train.create_node_pool"


def test_clusters_are_named_by_params_and_xcom_and_mapped(run):
    outcome = run("named_by_templates")

    assert set(outcome.tasks.values()) == {"success"}
    assert outcome.results["by_params"] == "here-system-0 hello"
    assert outcome.results["by_xcom"].startswith("gpu-use1")
