"""Parse one DAG file as the DAG processor does, in a process that has imported Airflow's core and nothing else."""

from __future__ import annotations

import json
import sys
import time

from airflow.dag_processing.dagbag import DagBag

bag = DagBag(dag_folder=sys.argv[1], collect_dags=False)
started = time.monotonic()
dags = bag.process_file(sys.argv[1], only_if_updated=False)
finished = time.monotonic()
if len(dags) != 1 or bag.import_errors:
    raise SystemExit(f"{len(dags)} DAGs: {bag.import_errors}")
print(json.dumps({"parse": (finished - started) * 1000, "finished_at": finished}))
