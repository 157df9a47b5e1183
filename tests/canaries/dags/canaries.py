"""Pods and jobs that are given secrets in every way there is, and that end in every way: well, badly, refused."""

from __future__ import annotations

from airflow.providers.cncf.kubernetes.secret import Secret
from airflow.sdk import DAG, task
from kubernetes.client import models as k8s

from airflow_multicluster import ClusterJobOperator, ClusterPodOperator

QUICK = {
    "image": "busybox:1.37",
    "poll_interval": 0.1,
    "startup_check_interval_seconds": 0.1,
    "base_container_status_polling_interval": 0.1,
    "env_vars": {"API_TOKEN": "{{ var.value.api_token }}", "EPOCHS": "3"},
    "secrets": [
        Secret("env", "WORD", "keys", "word"),
        Secret("env", None, "keys"),
        Secret("volume", "/keys", "keys"),
    ],
}
PLACES = ("gpu-use1", "by-session", "by-role", "by-connection", "gpu-euw4", "by-key", "by-kubeconfig")
UNSEEN = ("refused", "broken-plugin")
"""Clusters that nobody gets into."""
MISSING = {
    "volumes": [k8s.V1Volume(name="missing", secret=k8s.V1SecretVolumeSource(secret_name="missing"))],
    "volume_mounts": [k8s.V1VolumeMount(name="missing", mount_path="/missing")],
}
RESULT = """echo trained; echo '{"loss": 0.1}' > /airflow/xcom/return.json"""


def pod(task_id: str, command: str, **more):
    return ClusterPodOperator(task_id=task_id, **{**QUICK, "cmds": ["sh", "-c", command], **more})


for mode in ("sync", "deferrable"):
    with DAG(f"canaries_{mode}", schedule=None, default_args={"deferrable": mode == "deferrable"}) as dag:
        for place in PLACES:
            pod(f"on_{place}", RESULT, cluster=place, do_xcom_push=True)
        for place in UNSEEN:
            pod(f"on_{place}", "true", cluster=place)
        pod("fails", "echo broke; exit 3", cluster="gpu-use1", log_events_on_failure=True)
        pod("says_no_json", "echo '{' > /airflow/xcom/return.json", cluster="gpu-use1", do_xcom_push=True)
        pod("never_starts", "true", cluster="gpu-use1", startup_timeout_seconds=1, **MISSING)
        pod("is_refused", "true", cluster="gpu-use1", priority_class_name="nobody")
        ClusterJobOperator(
            task_id="job",
            cluster="by-role",
            wait_until_job_complete=True,
            job_poll_interval=0.1,
            **{**QUICK, "cmds": ["sh", "-c", "exit 3"], "backoff_limit": 0},
        )

        @task.cluster_pod(cluster="by-key", do_xcom_push=True, **{**QUICK, "image": "python:3.11"})
        def trained() -> str:
            return "trained"

        trained()
    globals()[dag.dag_id] = dag
