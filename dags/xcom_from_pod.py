"""A result computed on a remote GPU and used in Airflow."""

from __future__ import annotations

from airflow.sdk import DAG, task

from airflow_multicluster import ClusterPodOperator, NodePoolTaskGroup


@task
def report(result: dict[str, float]) -> str:
    return f"accuracy {result['accuracy']:.0%}"


with DAG("xcom_from_pod", schedule=None, tags=["multicluster"]):
    with NodePoolTaskGroup("evaluation", cluster="gpu-use1", profile="l4") as pool:
        evaluate = ClusterPodOperator(
            task_id="evaluate",
            node_pool=pool,
            image="busybox:1.37",
            cmds=["sh", "-c", """echo '{"accuracy": 0.93}' > /airflow/xcom/return.json"""],
            do_xcom_push=True,
        )
    report(evaluate.output)
