"""The anchor: one stock KubernetesPodOperator."""

from __future__ import annotations

from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.sdk import DAG

with DAG("stock", schedule=None):
    KubernetesPodOperator(task_id="fit", name="fit", image="acme/train:1", cmds=["python", "train.py"], deferrable=True)
