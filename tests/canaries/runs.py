"""Run DAGs one after another in an Airflow of their own, and write down how each task ended.

Usage: runs.py OUTCOMES FILE...
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path


def main(outcomes: Path, files: list[str]) -> None:
    from airflow_multicluster.demo.database import make_database, ready_database

    home = Path(os.environ["AIRFLOW_HOME"])
    if not ready_database(home):
        make_database(home)
    from airflow.sdk.log import configure_logging

    from airflow_multicluster.demo.dag_test import run_dag

    configure_logging(output=sys.stdout.buffer, colored_console_log=False)  # as the log of a task is written

    ended = {}
    for file in files:
        for dag in dags_of(file):
            outcome = run_dag(dag)
            ended[dag.dag_id] = {"state": outcome.state, **outcome.tasks}
            outcomes.write_text(json.dumps(ended))
    alive = Path(tempfile.gettempdir())
    shutil.copytree(alive, alive.with_name("tmp-while-alive"))


def dags_of(file: str) -> list[object]:
    try:
        from airflow.dag_processing.dagbag import DagBag
    except ModuleNotFoundError:  # Airflow 3.1
        from airflow.models.dagbag import DagBag

    bag = DagBag(dag_folder=file)
    assert bag.import_errors == {}
    return list(bag.dags.values())


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
