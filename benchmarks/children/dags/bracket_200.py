"""Ours: 200 brackets with one pod each in one DAG."""

from __future__ import annotations

import json
import time

from airflow.sdk import DAG

from airflow_multicluster import ClusterPodOperator, NodePoolTaskGroup

started = time.monotonic()
with DAG("bracket_200", schedule=None) as dag:
    for number in range(200):
        with NodePoolTaskGroup(f"train_{number}", cluster="gpu-use1", profile="l4", nodes=2) as pool:
            ClusterPodOperator(
                task_id="fit",
                name="fit",
                node_pool=pool,
                image="acme/train:1",
                cmds=["python", "train.py"],
                deferrable=True,
            )
finished = time.monotonic()
if len(dag.tasks) != 1000:
    raise SystemExit(f"{len(dag.tasks)} tasks")
print(json.dumps({"bracket": (finished - started) * 1000 / 200, "finished_at": finished}))
