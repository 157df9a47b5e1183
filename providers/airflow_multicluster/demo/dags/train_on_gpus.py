"""Train on a GPU that is rented for it in EKS, then do the same in GKE; nothing is left behind."""

from __future__ import annotations

from airflow.sdk import DAG

from airflow_multicluster import ClusterPodOperator, NodePoolTaskGroup

TRAIN = """
for epoch in 1 2 3; do
  echo "epoch $epoch/3  loss 0.$((90 / epoch))"
  sleep 0.2
done
echo '{"accuracy": 0.93}' > /airflow/xcom/return.json
exit {{ params.exit_code }}
"""
REPORT = 'echo "accuracy $ACCURACY (from the XCom of the pod before)"'
PODS = {"image": "busybox:1.37", "startup_check_interval_seconds": 0.1, "poll_interval": 0.1}
BRACKETS = {"eks": "gpu-use1", "gke": "gpu-euw4"}

with DAG("train_on_gpus", schedule=None, params={"exit_code": 0}, default_args=PODS) as dag:
    before = None
    for cloud, cluster in BRACKETS.items():
        with NodePoolTaskGroup(cloud, cluster=cluster, profile="l4", poll_interval=0.1) as pool:
            accuracy = "{{ ti.xcom_pull(task_ids='%s.train')['accuracy'] }}" % cloud  # noqa: UP031 - braces are Jinja's
            train = ClusterPodOperator(
                task_id="train", node_pool=pool, cmds=["sh", "-c"], arguments=[TRAIN], do_xcom_push=True
            )
            report = ClusterPodOperator(
                task_id="report",
                node_pool=pool,
                cmds=["sh", "-c"],
                arguments=[REPORT],
                env_vars={"ACCURACY": accuracy},
                deferrable=True,
            )
            train >> report
        if before is not None:
            before >> pool
        before = pool
