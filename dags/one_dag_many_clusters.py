"""The same work on several clusters, whichever cloud they are in: a node pool for each, mapped by name."""

from __future__ import annotations

from airflow.sdk import DAG, task_group

from airflow_multicluster import ClusterPodOperator, NodePoolTaskGroup


@task_group
def train(cluster: str) -> None:
    with NodePoolTaskGroup("gpu", cluster=cluster, profile="l4") as pool:
        ClusterPodOperator(
            task_id="fit",
            node_pool=pool,
            image="busybox:1.37",
            cmds=["echo", "trained"],
            deferrable=True,
        )


with DAG("one_dag_many_clusters", schedule=None, tags=["multicluster"]):
    train.expand(cluster=["gpu-use1", "gpu-use2", "gpu-euw4"])
