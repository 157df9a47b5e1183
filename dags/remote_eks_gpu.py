"""A GPU node group on a remote EKS cluster, for as long as the work takes: five tasks.

create_node_pool > node_pool_ready > fit > delete_node_pool > node_pool_gone. The node group is deleted whatever
happens to the tasks before; the run is green only when `fit` succeeded and the node group is proven gone.
"""

from __future__ import annotations

from airflow.sdk import DAG

from airflow_multicluster import ClusterPodOperator, NodePoolTaskGroup

with DAG("remote_eks_gpu", schedule=None, tags=["multicluster"]):  # noqa: SIM117 - a bracket inside a DAG
    with NodePoolTaskGroup("train", cluster="gpu-use1", profile="l4", nodes=2) as pool:
        ClusterPodOperator(
            task_id="fit",
            node_pool=pool,  # brings the cluster, the node selector, tolerations and one GPU
            image="busybox:1.37",
            cmds=["sh", "-c", "echo training on $HOSTNAME"],
            deferrable=True,
        )
