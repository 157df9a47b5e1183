"""A chain that ``multicluster migrate`` rewrote runs to its end, and leaves nothing behind."""

from __future__ import annotations

import pytest

from multicluster.migration.proposal import Proposal
from multicluster.migration.source import migrate

STOCK = """
from airflow.providers.amazon.aws.operators.eks import (
    EksCreateNodegroupOperator, EksDeleteNodegroupOperator, EksPodOperator
)
from airflow.providers.amazon.aws.sensors.eks import EksNodegroupStateSensor
from airflow.sdk import DAG

with DAG("migrated_chain", schedule=None):
    create = EksCreateNodegroupOperator(
        task_id="create", cluster_name="gpu-use1", nodegroup_name="g", region="us-east-1", aws_conn_id=None,
        nodegroup_subnets=["subnet-a"], nodegroup_role_arn="arn:aws:iam::111122223333:role/n",
        create_nodegroup_kwargs={"instanceTypes": ["g6.xlarge"], "scalingConfig": {"desiredSize": 1}},
    )
    active = EksNodegroupStateSensor(task_id="active", cluster_name="gpu-use1", nodegroup_name="g", aws_conn_id=None)
    fit = EksPodOperator(
        task_id="fit", pod_name="fit", cluster_name="gpu-use1", region="us-east-1", image="busybox:1.37",
        cmds=["sh", "-c", "exit 0"], node_selector={"eks.amazonaws.com/nodegroup": "g"},
    )
    delete = EksDeleteNodegroupOperator(
        task_id="delete", cluster_name="gpu-use1", nodegroup_name="g", aws_conn_id=None, trigger_rule="all_done"
    )
    gone = EksNodegroupStateSensor(
        task_id="gone", cluster_name="gpu-use1", nodegroup_name="g", aws_conn_id=None, target_state="NONEXISTENT"
    )
    create >> active >> fit >> delete >> gone
"""


@pytest.fixture
def migrated(dag_folder):
    text = migrate("d.py", STOCK.encode(), Proposal()).after.decode()
    file = dag_folder / "migrated_chain.py"
    file.write_text(text.replace('profile="g6-xlarge"', 'profile="l4"'))  # as the world's registry calls it
    yield
    file.unlink()


def test_a_migrated_chain_runs_and_leaves_nothing(run, world, migrated):
    outcome = run("migrated_chain")

    assert outcome.state == "success", outcome.reasons
    assert outcome.tasks == dict.fromkeys(
        ["create_node_pool", "node_pool_ready", "fit", "delete_node_pool", "node_pool_gone"], "success"
    )
    assert world.report().instances_left == ()
