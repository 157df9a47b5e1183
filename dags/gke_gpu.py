"""The same on GKE: only the cluster's name differs."""

from __future__ import annotations

from airflow.sdk import DAG

from airflow_multicluster import ClusterPodOperator, NodePoolTaskGroup

with DAG("gke_gpu", schedule=None, tags=["multicluster"]):  # noqa: SIM117 - a bracket inside a DAG
    with NodePoolTaskGroup("train", cluster="gpu-euw4", profile="l4") as pool:
        ClusterPodOperator(
            task_id="fit",
            node_pool=pool,
            image="busybox:1.37",
            cmds=["sh", "-c", "echo training on $HOSTNAME"],
            deferrable=True,
        )
