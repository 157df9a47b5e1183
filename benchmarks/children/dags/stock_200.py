"""The anchor: 200 times the five stock tasks by hand, with the wiring that a bracket has."""

from __future__ import annotations

import json
import time

from airflow.providers.amazon.aws.operators.eks import (
    EksCreateNodegroupOperator,
    EksDeleteNodegroupOperator,
    EksPodOperator,
)
from airflow.providers.amazon.aws.sensors.eks import EksNodegroupStateSensor
from airflow.sdk import DAG, TaskGroup

ROLE = "arn:aws:iam::111122223333:role/gpu-node"

started = time.monotonic()
with DAG("stock_200", schedule=None) as dag:
    for number in range(200):
        with TaskGroup(f"train_{number}"):
            target = {"cluster_name": "gpu", "nodegroup_name": f"train-{number}", "region": "us-east-1"}
            create = EksCreateNodegroupOperator(
                task_id="create",
                **target,
                nodegroup_subnets=["subnet-a", "subnet-b"],
                nodegroup_role_arn=ROLE,
                create_nodegroup_kwargs={"instanceTypes": ["g6.xlarge"], "amiType": "AL2023_x86_64_NVIDIA"},
            ).as_setup()
            ready = EksNodegroupStateSensor(task_id="ready", **target, target_state="ACTIVE")
            fit = EksPodOperator(
                task_id="fit",
                cluster_name="gpu",
                region="us-east-1",
                pod_name="fit",
                image="acme/train:1",
                cmds=["python", "train.py"],
                node_selector={"eks.amazonaws.com/nodegroup": f"train-{number}"},
                deferrable=True,
            )
            delete = EksDeleteNodegroupOperator(task_id="delete", **target).as_teardown(setups=create)
            gone = EksNodegroupStateSensor(task_id="gone", **target, target_state="NONEXISTENT")
            gone.as_teardown(setups=create, on_failure_fail_dagrun=True)
            delete.trigger_rule = gone.trigger_rule = "all_done"
            create >> ready >> fit >> delete >> gone
finished = time.monotonic()
if len(dag.tasks) != 1000:
    raise SystemExit(f"{len(dag.tasks)} tasks")
print(json.dumps({"bracket": (finished - started) * 1000 / 200, "finished_at": finished}))
