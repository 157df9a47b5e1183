"""The classic chain around an EKS node group becomes a NodePoolTaskGroup."""

from __future__ import annotations

import pytest

from multicluster.registry.load import load_registry

CHAIN = """
from datetime import datetime

from airflow.providers.amazon.aws.hooks.eks import NodegroupStates
from airflow.providers.amazon.aws.operators.eks import (
    EksCreateNodegroupOperator,
    EksDeleteNodegroupOperator,
    EksPodOperator,
)
from airflow.providers.amazon.aws.sensors.eks import EksNodegroupStateSensor
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, TriggerRule, chain

CLUSTER = "gpu"
GROUP = CLUSTER + "-train"
AWS = {"region": "us-east-1", "aws_conn_id": "aws_ml"}

with DAG("d", start_date=datetime(2026, 1, 1), schedule=None):
    start = EmptyOperator(task_id="start")
    # capacity
    create = EksCreateNodegroupOperator(
        task_id="create", cluster_name=CLUSTER, nodegroup_name=GROUP, region="us-east-1", aws_conn_id="aws_ml",
        nodegroup_subnets=["subnet-0a"], nodegroup_role_arn="arn:aws:iam::111122223333:role/gpu-node",
        create_nodegroup_kwargs={KWARGS},
    )
    active = EksNodegroupStateSensor(
        task_id="active", cluster_name=CLUSTER, nodegroup_name=GROUP, region="us-east-1", aws_conn_id="aws_ml",
        target_state=NodegroupStates.ACTIVE, timeout=1800,
    )
    fit = EksPodOperator(
        task_id="fit", pod_name="fit", cluster_name=CLUSTER, region="us-east-1", aws_conn_id="aws_ml", image="fit:1",
        node_selector={"eks.amazonaws.com/nodegroup": GROUP, "disk": "ssd"}, retries=2,
    )
    score = EksPodOperator(
        task_id="score", pod_name="score", cluster_name=CLUSTER, region="us-east-1", aws_conn_id="aws_ml",
        image="score:1", node_selector={"eks.amazonaws.com/nodegroup": GROUP},
    )
    delete = EksDeleteNodegroupOperator(
        task_id="delete", cluster_name=CLUSTER, nodegroup_name=GROUP, region="us-east-1", aws_conn_id="aws_ml",
    )
    delete.trigger_rule = TriggerRule.ALL_DONE
    gone = EksNodegroupStateSensor(
        task_id="gone", cluster_name=CLUSTER, nodegroup_name=GROUP, region="us-east-1", aws_conn_id="aws_ml",
        target_state=NodegroupStates.NONEXISTENT,
    )
    end = EmptyOperator(task_id="end")
ORDER
"""
KWARGS = """{
            "instanceTypes": ["g5.12xlarge"],
            "scalingConfig": {"minSize": 2, "maxSize": 2, "desiredSize": 2},
            "capacityType": "SPOT", "diskSize": 200, "labels": {"team": "ml"}, "tags": {"cost": "ml"},
            "taints": [{"key": "nvidia.com/gpu", "value": "true", "effect": "NO_SCHEDULE"}],
        }"""
ORDER = "    start >> create >> active >> fit >> score >> delete >> gone >> end"


def chain(order: str = ORDER, kwargs: str = KWARGS, **replaced: str) -> str:
    text = CHAIN.replace("{KWARGS}", kwargs).replace("ORDER", order)
    for old, new in replaced.items():
        text = text.replace(old, new)
    return text


def after_each(dag) -> dict[str, set[str]]:
    return {task.task_id: set(task.downstream_task_ids) for task in dag.tasks}


@pytest.mark.parametrize(
    "order",
    [
        ORDER,
        "    chain(start, create, active, fit, score, delete, gone, end)",
        """\
    start >> create
    active << create
    active >> fit >> score
    score >> delete >> gone
    gone >> end""",
        """\
    create.set_upstream(start)
    create.set_downstream(active)
    active >> fit >> score >> delete
    delete >> gone >> [end]""",
    ],
)
def test_the_chain_becomes_a_bracket_however_it_is_ordered(migrated, dag, order):
    room = migrated(chain(order))
    tasks = after_each(dag(room.after))

    assert room.by_hand == []
    assert set(tasks) == {
        "start", "create_node_pool", "node_pool_ready", "fit", "score", "delete_node_pool", "node_pool_gone", "end",
    }  # fmt: skip
    assert tasks["start"] == {"create_node_pool"}
    assert "fit" in tasks["node_pool_ready"]
    assert tasks["fit"] == {"score", "delete_node_pool"}
    assert "end" in tasks["score"]


def test_pods_side_by_side_stay_side_by_side(migrated, dag):
    room = migrated(chain("    start >> create >> active >> [fit, score] >> delete >> gone >> end"))
    tasks = after_each(dag(room.after))

    assert room.by_hand == []
    assert {"fit", "score"} <= tasks["node_pool_ready"]
    assert "score" not in tasks["fit"]


def test_the_pods_of_a_chain_keep_their_parameters_but_for_the_node_group(migrated, dag):
    room = migrated(chain())
    before, after = (dag(text).get_task("fit") for text in (room.before, room.after))

    assert (after.image, after.name, after.namespace, after.retries) == ("fit:1", "fit", "default", 2)
    assert before.node_selector == {"eks.amazonaws.com/nodegroup": "gpu-train", "disk": "ssd"}
    assert after.node_selector == {"disk": "ssd"}
    assert after.cluster is None
    assert dag(room.after).get_task("score").node_selector == {}


def test_what_the_node_group_was_becomes_a_profile(migrated, dag):
    room = migrated(chain())
    create = dag(room.after).get_task("create_node_pool")
    cluster = load_registry(room.proposal.document)["gpu"]
    profile = cluster.profile(create.profile)

    assert (create.cluster, create.nodes) == ("gpu", 2)
    assert (profile.instance_types, profile.disk_gib, profile.capacity_type) == (("g5.12xlarge",), 200, "spot")
    assert (profile.gpu.per_node, profile.labels) == (4, {"team": "ml"})
    assert [(taint.key, taint.value, taint.effect) for taint in profile.taints] == [
        ("nvidia.com/gpu", "true", "NoSchedule")
    ]
    assert room.clusters["gpu"]["nodePools"]["eks"] == {
        "nodeRoleArn": "arn:aws:iam::111122223333:role/gpu-node",
        "subnets": ["subnet-0a"],
        "tags": {"cost": "ml"},
    }
    assert dag(room.after).get_task("node_pool_ready").timeout == 1800


def test_whoever_migrates_is_told_to_decide_on_the_dead_man_switch(migrated):
    assert any("deadMan" in look for look in migrated(chain()).looks)


def test_comments_of_the_chain_stay(migrated):
    room = migrated(chain("    # the order\n" + ORDER))

    assert "    # capacity\n    with NodePoolTaskGroup(" in room.after
    assert "    # the order\n    start >> pool >> end\n" in room.after


def test_imports_that_only_the_chain_used_are_gone(migrated):
    room = migrated(chain())

    assert "amazon" not in room.after
    assert "TriggerRule" not in room.after


def test_subnets_known_at_run_time_only_are_to_be_filled_in(migrated):
    room = migrated(chain(**{'["subnet-0a"]': 'subnets_of("a")'}))

    assert room.by_hand == []
    assert room.clusters["gpu"]["nodePools"]["eks"]["subnets"] == ["FILL-IN"]
    assert any("subnets_of" in look for look in room.looks)


HTTP = "from airflow.providers.http.operators.http import HttpOperator\nfrom datetime"
REFUSED = {
    "a cluster known at run time only": (
        ORDER, KWARGS, {'CLUSTER = "gpu"': "CLUSTER = open('/etc/c').read()"}, "/etc/c"),
    "a pod beside Airflow that names the node group": (
        ORDER, KWARGS, {"score = EksPodOperator(": "score = HttpOperator(", "from datetime": HTTP},
        "names the node group"),
    "a shape known at run time only": (ORDER, "shape()", {}, "create_nodegroup_kwargs: shape()"),
    "a shape that is none": (ORDER, '{"instanceTypes": 5}', {}, "not what EKS takes"),
    "a task outside tied to one within": (ORDER + "\n    active >> end", KWARGS, {}, "active >> end"),
    "a task that is used elsewhere": (ORDER + "\n    print(delete.task_id)", KWARGS, {}, "used elsewhere"),
    "no order": ("", KWARGS, {}, "no task stands between"),
    "an affinity to the node group": (
        ORDER, KWARGS, {"retries=2": 'affinity={"nodeAffinity": [GROUP]}'}, "affinity of the pod"),
    "no delete": (
        ORDER, KWARGS, {"delete = EksDeleteNodegroupOperator(": "delete = EmptyOperator("}, "0 deletes"),
    "another state": (ORDER, KWARGS, {"NodegroupStates.NONEXISTENT": "NodegroupStates.DELETING"}, "DELETING"),
    "a pod that is not understood": (ORDER, KWARGS, {"retries=2": "**unknown()"}, "no pod in it is known"),
}  # fmt: skip


@pytest.mark.parametrize(("order", "kwargs", "replaced", "why"), REFUSED.values(), ids=REFUSED)
def test_a_chain_that_cannot_be_a_bracket_stays_and_is_named(migrated, order, kwargs, replaced, why):
    room = migrated(chain(order, kwargs, **replaced))

    assert "NodePoolTaskGroup" not in room.after
    assert "create = EksCreateNodegroupOperator(" in room.after
    assert any(why in one for one in room.by_hand), room.by_hand


def test_two_chains_have_prefixes_and_variables_of_their_own(migrated, dag):
    head, body = chain().split("with DAG")
    text = f"{head}with DAG{body}"
    second = body.split("\n", 1)[1].replace("GROUP", "OTHER")
    for name in ("start", "create", "active", "fit", "score", "delete", "gone", "end"):
        second = second.replace(f"    {name} = ", f"    {name}2 = ").replace(f'task_id="{name}"', f'task_id="{name}2"')
    second = second.replace("delete.trigger", "delete2.trigger")
    second = second.replace(ORDER, "    start2 >> create2 >> active2 >> fit2 >> score2 >> delete2 >> gone2 >> end2")
    room = migrated(text.replace("GROUP =", 'OTHER = "other"\nGROUP =') + second)

    assert room.by_hand == []
    assert {"gpu-train.fit", "other.fit2", "other.create_node_pool"} <= set(after_each(dag(room.after)))
