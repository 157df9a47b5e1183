"""Run one DAG with an Airflow of its own, and print its outcome; for tests that need two at a time.

Usage: one_run.py HOME DAG_FILE DAG_ID CONF
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import sys
from pathlib import Path

INTERVALS = {
    "poke_interval",
    "poll_interval",
    "startup_check_interval_seconds",
    "base_container_status_polling_interval",
}


def main(home: Path, file: Path, dag_id: str, conf: str) -> None:
    dags = home / "dags"
    dags.mkdir(parents=True)
    shutil.copy(file, dags)
    os.environ.update(
        AIRFLOW_HOME=str(home), AIRFLOW__CORE__DAGS_FOLDER=str(dags), AIRFLOW__CORE__LOAD_EXAMPLES="False"
    )
    from airflow.utils.db import initdb

    initdb()
    spec = importlib.util.spec_from_file_location("dag_file", dags / file.name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    dag = getattr(module, dag_id)
    for task in dag.tasks:
        vars(task).update(dict.fromkeys(INTERVALS & vars(task).keys(), 0.05))
    run = dag.test(run_conf=json.loads(conf))
    sys.stdout.write(f"\noutcome {run.state}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
