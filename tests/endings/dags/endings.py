"""The DAGs of the plays: one task in each."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

from airflow.providers.amazon.aws.operators.eks import EksPodOperator
from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.providers.cncf.kubernetes.secret import Secret
from airflow.sdk import DAG, get_parsing_context

from airflow_multicluster import ClusterPodOperator

PLAYS = json.loads((Path(__file__).parent / "plays.json").read_text())
QUICK = {
    "retry_delay": timedelta(seconds=1),
    "startup_check_interval_seconds": 1,
    "poll_interval": 1,
    "termination_grace_period": 1,
    "image": "busybox:1.37",
    "get_logs": True,
}
SECRETS = {
    "env_vars": {"API_TOKEN": "{{ var.value.api_token }}"},
    "secrets": [Secret("env", "WORD", "keys", "word"), Secret("volume", "/keys", "keys")],
}
"""None of it may be found when all is over; the stock operators are not asked for that."""
ONLY = get_parsing_context().dag_id

for play in PLAYS:
    if ONLY not in (None, play["dag_id"]):
        continue  # a task's process needs its own DAG only
    options = {**QUICK, "cmds": ["sh", "-c", play["command"]], **play["options"]}
    run_seconds = options.pop("dagrun_timeout", None)
    if "execution_timeout" in options:
        options["execution_timeout"] = timedelta(seconds=options["execution_timeout"])
    run_timeout = None if run_seconds is None else timedelta(seconds=run_seconds)
    with DAG(play["dag_id"], schedule=None, dagrun_timeout=run_timeout) as dag:
        if play["operator"] == "ours":
            ClusterPodOperator(task_id="fit", cluster=play["cluster"], **SECRETS, **options)
        elif play["operator"] == "eks":
            EksPodOperator(
                task_id="fit",
                cluster_name=play["cluster"],
                region="us-east-1",
                aws_conn_id=None,
                pod_name="fit",
                **options,
            )
        else:
            KubernetesPodOperator(
                task_id="fit", config_file=play["kubeconfig"], cluster_context=play["cluster"], **options
            )
    globals()[play["dag_id"]] = dag
