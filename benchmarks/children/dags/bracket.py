"""Ours: the same pod in one bracket."""

from __future__ import annotations

from airflow.sdk import DAG

from airflow_multicluster import ClusterPodOperator, NodePoolTaskGroup

with DAG("bracket", schedule=None), NodePoolTaskGroup("train", cluster="gpu-use1", profile="l4", nodes=2) as pool:
    ClusterPodOperator(
        task_id="fit", name="fit", node_pool=pool, image="acme/train:1", cmds=["python", "train.py"], deferrable=True
    )
