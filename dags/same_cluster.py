"""A pod in the cluster that Airflow itself runs in: `auth: {inCluster: {}}` in the registry."""

from __future__ import annotations

from airflow.sdk import DAG

from airflow_multicluster import ClusterPodOperator

with DAG("same_cluster", schedule=None, tags=["multicluster"]):
    ClusterPodOperator(
        task_id="hello",
        cluster="here",
        image="busybox:1.37",
        cmds=["echo", "hello from a pod next to Airflow"],
        deferrable=True,
    )
