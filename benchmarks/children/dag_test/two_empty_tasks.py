"""The anchor of the demo: what Airflow alone costs, as dag.test() of two empty tasks on a migrated database."""

from __future__ import annotations

import json
import sys
import time

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG

with DAG("two_empty_tasks", schedule=None) as dag:
    EmptyOperator(task_id="first") >> EmptyOperator(task_id="second")

if __name__ == "__main__":
    run = dag.test()
    if run.state != "success":
        sys.exit(f"the run ended {run.state}")
    print(json.dumps({"finished_at": time.monotonic()}))
