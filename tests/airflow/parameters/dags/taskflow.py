"""Functions as pods, and clusters named by templates, XComs and params."""

from __future__ import annotations

from airflow.sdk import DAG, Param, task

from airflow_multicluster import ClusterPodOperator

POOL = {"cluster": "gpu-use1", "name": "mc-room-0", "profile": "l4"}
PYTHON = "python:3.11"
BUSYBOX = "busybox:1.37"


def in_pod(**options):
    return {"cluster": "gpu-use1", "image": PYTHON, "get_logs": False, **options}


with DAG("taskflow", schedule=None) as taskflow:

    @task.cluster_pod(**in_pod(do_xcom_push=True))
    def add(one: int, other: int) -> dict:
        return {"sum": one + other}

    @task.cluster_pod(**in_pod(do_xcom_push=True, deferrable=True, multiple_outputs=True))
    def double(known: dict) -> dict:
        return {"doubled": known["sum"] * 2}

    @task.cluster_pod_cmd(cluster="here", image=BUSYBOX, do_xcom_push=True, deferrable=True)
    def write(number: int) -> list[str]:
        return ["sh", "-c", f"echo {number + 1} > /airflow/xcom/return.json"]

    write(double(add(3, 4))["doubled"])

with DAG("taskflow_pool", schedule=None) as taskflow_pool:

    @task.cluster_pod(node_pool=POOL, image=PYTHON, do_xcom_push=True)
    def where() -> str:
        import os

        return os.environ["MULTICLUSTER_NODE"]

    @task.cluster_pod_cmd(node_pool=POOL, image=BUSYBOX, args_only=True)
    def nothing() -> list[str]:
        return ["true"]

    where() >> nothing()

with DAG("taskflow_mapped", schedule=None) as taskflow_mapped:

    @task.cluster_pod(**in_pod(do_xcom_push=True))
    def square(number: int) -> int:
        return number * number

    square.expand(number=[2, 3])

with DAG("taskflow_fails", schedule=None) as taskflow_fails:

    @task.cluster_pod(**in_pod(deferrable=True))
    def fail() -> None:
        raise SystemExit(7)

    fail()

PARAMS = {"cluster": Param("here"), "word": Param("hello")}
SAYS = {
    "image": BUSYBOX,
    "cmds": ["sh", "-c", 'echo "\\"$MULTICLUSTER_NODE $WORD\\"" > /airflow/xcom/return.json'],
    "do_xcom_push": True,
    "env_vars": {"WORD": "{{ params.word }}"},
}

with DAG("named_by_templates", schedule=None, params=PARAMS) as named_by_templates:

    @task
    def choose() -> str:
        return "gpu-use1"

    ClusterPodOperator(task_id="by_params", cluster="{{ params.cluster }}", **SAYS)
    ClusterPodOperator(task_id="by_xcom", cluster=choose(), deferrable=True, **SAYS)
    ClusterPodOperator.partial(task_id="mapped", **SAYS).expand(cluster=["here", "gpu-use1"])
