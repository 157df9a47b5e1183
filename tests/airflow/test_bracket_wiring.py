"""How a NodePoolTaskGroup is wired, before anything runs."""

from __future__ import annotations

import copy
from datetime import timedelta

import pytest
from airflow.sdk import DAG, TaskGroup, task_group
from airflow.serialization.serialized_objects import DagSerialization

from airflow_multicluster import ClusterPodOperator, NodePoolTaskGroup

BRACKET = {"cluster": "nam", "profile": "l4", "nodes": 2}
OWN = ("create_node_pool", "node_pool_ready", "delete_node_pool", "node_pool_gone")


def pod(task_id, **more):
    return ClusterPodOperator(task_id=task_id, image="acme/train:1", **more)


@pytest.fixture
def dag():
    bracket = {"cluster": "nam", "profile": "l4", "nodes": 2}
    with DAG("wired", schedule=None) as dag, NodePoolTaskGroup("train", **bracket) as pool:
        pod("prepare", node_pool=pool) >> pod("fit", node_pool=pool)
        with TaskGroup("extra"):
            pod("score", node_pool=pool)
    dag.validate()
    return dag


def upstream(dag, task_id):
    return set(dag.get_task(task_id).upstream_task_ids)


def test_create_is_the_setup_and_delete_and_gone_are_its_teardowns(dag):
    create, ready, delete, gone = (dag.get_task(f"train.{name}") for name in OWN)

    assert tuple(task.is_setup for task in (create, ready, delete, gone)) == (True, False, False, False)
    assert tuple(task.is_teardown for task in (create, ready, delete, gone)) == (False, False, True, True)
    assert {"train.create_node_pool"} < upstream(dag, "train.delete_node_pool")
    assert {"train.create_node_pool", "train.delete_node_pool"} == upstream(dag, "train.node_pool_gone")


def test_pain_15_delete_and_proof_run_also_when_the_create_failed(dag):
    assert [str(dag.get_task(f"train.{name}").trigger_rule.value) for name in OWN[2:]] == ["all_done", "all_done"]


def test_pain_15_only_the_missing_proof_fails_the_run(dag):
    assert not dag.get_task("train.delete_node_pool").on_failure_fail_dagrun
    assert dag.get_task("train.node_pool_gone").on_failure_fail_dagrun


def test_first_work_waits_for_usable_nodes(dag):
    assert "train.node_pool_ready" in upstream(dag, "train.prepare")
    assert "train.node_pool_ready" in upstream(dag, "train.extra.score")
    assert "train.node_pool_ready" not in upstream(dag, "train.fit")


def test_pain_15_delete_waits_for_every_work_task_not_only_for_the_last(dag):
    assert {"train.prepare", "train.fit", "train.extra.score"} < upstream(dag, "train.delete_node_pool")


def test_a_bracket_without_work_still_deletes_after_the_wait():
    with DAG("empty", schedule=None) as dag, NodePoolTaskGroup("train", cluster="nam", profile="l4"):
        pass

    assert {"train.create_node_pool", "train.node_pool_ready"} == upstream(dag, "train.delete_node_pool")


def test_the_times_of_the_lease_are_the_creates():
    times = {"lease": timedelta(minutes=20), "max_lifetime": timedelta(hours=3)}
    with DAG("times", schedule=None) as dag, NodePoolTaskGroup("train", **BRACKET, **times):
        pass
    create = dag.get_task("train.create_node_pool")

    assert (create.lease, create.max_lifetime) == tuple(times.values())


def test_a_lease_lasts_an_hour_unless_told_otherwise(dag):
    assert dag.get_task("train.create_node_pool").lease == timedelta(hours=1)


def test_an_error_in_the_block_is_raised_as_it_is():
    def broken():
        with DAG("broken", schedule=None), NodePoolTaskGroup("train", cluster="nam", profile="l4"):
            _ = 1 / 0

    with pytest.raises(ZeroDivisionError):
        broken()


def test_brackets_of_one_dag_are_two_brackets():
    with DAG("two", schedule=None) as dag:
        for name in ("a", "b"):
            with TaskGroup("outer", add_suffix_on_collision=True), NodePoolTaskGroup(name, cluster="nam", profile="l4"):
                pass

    assert {"outer.a", "outer__1.b"} == {task.bracket for task in dag.tasks}


def test_a_mapped_group_hands_its_cluster_to_the_bracket_inside():
    @task_group
    def train(cluster):
        with NodePoolTaskGroup("gpu", cluster=cluster, profile="l4") as pool:
            pod("fit", node_pool=pool)

    with DAG("mapped", schedule=None) as dag:
        train.expand(cluster=["nam", "emea", "apac"])
    dag.validate()

    assert {f"train.gpu.{name}" for name in (*OWN, "fit")} == set(dag.task_ids)


def test_a_mapped_pod_takes_the_pool_in_partial():
    with DAG("mapped-pod", schedule=None) as dag, NodePoolTaskGroup("gpu", cluster="nam", profile="l4") as pool:
        ClusterPodOperator.partial(task_id="fit", node_pool=pool, image="x").expand(cmds=[["a"], ["b"]])
    dag.validate()

    assert "gpu.create_node_pool" in upstream(dag, "gpu.fit")
    assert "gpu.fit" in upstream(dag, "gpu.delete_node_pool")


def test_the_stored_dag_is_the_same_at_each_parse(dag):
    once, again = (DagSerialization.serialize_dag(copy.deepcopy(dag)) for _ in range(2))

    assert once == again
    assert "0x" not in str(once)


def test_defaults_of_the_dag_cannot_hide_a_pool_that_is_left():
    defaults = {"soft_fail": True, "never_fail": False, "trigger_rule": "none_failed", "mode": "reschedule"}
    defaults |= {"do_xcom_push": False, "timeout": 1}
    with DAG("defaults", schedule=None, default_args=defaults) as dag, NodePoolTaskGroup("train", **BRACKET) as pool:
        pod("fit", node_pool=pool, trigger_rule="all_success")
    dag.validate()
    create, ready, delete, gone = (dag.get_task(f"train.{name}") for name in OWN)

    assert (ready.soft_fail, gone.soft_fail, create.do_xcom_push) == (False, False, True)
    assert (create.timeout, delete.timeout, gone.timeout) == (3600, 3600, 3600)
    assert str(ready.trigger_rule.value) == "all_success"


def test_what_follows_the_create_waits_for_no_earlier_run():
    with (
        DAG("past", schedule=None, default_args={"wait_for_downstream": True}) as dag,
        NodePoolTaskGroup("train", **BRACKET) as pool,
    ):
        pod("fit", node_pool=pool, depends_on_past=False, wait_for_downstream=False)

    assert [dag.get_task(f"train.{name}").depends_on_past for name in OWN[1:]] == [False, False, False]


def test_work_that_waits_for_an_earlier_run_is_refused():
    with DAG("past", schedule=None), pytest.raises(ValueError, match=r"'train.fit' waits for an earlier run"):  # noqa: SIM117 - the group is what is refused
        with NodePoolTaskGroup("train", **BRACKET) as pool:
            pod("fit", node_pool=pool, depends_on_past=True)
