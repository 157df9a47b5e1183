"""Parse one DAG file as the DAG processor does, in a process that has imported Airflow's core and nothing else.

What is there before the file is frozen, as the DAG processor does before it forks the processes that parse; what the
file imports is collected as ever. One lottery of CPython is evened out: a hot call of some library may stand at the
edge of a chunk of the frame stack, which is then mapped and unmapped at each call, up to 100 ms in all for either file.
Where the edge falls hangs on how deep the import stands, so each process starts at a depth of its own.
"""

from __future__ import annotations

import gc
import json
import random
import sys
import time
from collections.abc import Callable

from airflow.dag_processing.dagbag import DagBag

CHUNK = 200
"""Frames of ``deeper`` that fill about one chunk of 16 KiB."""


def deeper(frames: int, call: Callable[[], int]) -> int:
    """Make the call so many frames further down."""
    return deeper(frames - 1, call) if frames else call()


bag = DagBag(dag_folder=sys.argv[1], collect_dags=False)
gc.freeze()
started = time.monotonic()
dags = deeper(random.randrange(CHUNK), lambda: len(bag.process_file(sys.argv[1], only_if_updated=False)))
finished = time.monotonic()
if dags != 1 or bag.import_errors:
    raise SystemExit(f"{dags} DAGs: {bag.import_errors}")
print(json.dumps({"parse": (finished - started) * 1000, "finished_at": finished}))
