"""Every ten minutes: delete node pools that outlived their lease or their run, and pods that outlived their task.

It is what comes after leases and dead-man switches; docs/reaper.md says what it deletes, and what it never does.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG

from airflow_multicluster.operators.reaper import ReapNodePoolsOperator

with DAG(
    "multicluster_reaper",
    schedule="*/10 * * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    tags=["multicluster"],
):
    ReapNodePoolsOperator(
        task_id="reap", retries=1, retry_delay=timedelta(minutes=1), execution_timeout=timedelta(minutes=9)
    )
