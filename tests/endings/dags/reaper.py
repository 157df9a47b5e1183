"""The reaper of the stage: as dags/reaper.py, every twenty seconds and with little grace."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG

from airflow_multicluster.operators.reaper import ReapNodePoolsOperator

with DAG(
    "multicluster_reaper",
    schedule=timedelta(seconds=20),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
):
    ReapNodePoolsOperator(task_id="reap", clusters=["here"], pod_grace=timedelta(seconds=5))
