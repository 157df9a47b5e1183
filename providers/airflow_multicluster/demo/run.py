"""Run the demo's DAG for a parent process: ``python -m airflow_multicluster.demo.run EVENTS_FD``.

The parent's end of standard input is the lifeline: its first line is a JSON object (``env`` to take over, ``conf`` of
the DAG run); when it closes, this process ends at once. Events go to the descriptor, Airflow's own log to stdout.
"""

from __future__ import annotations

import dataclasses
import gc
import json
import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_multicluster.demo.auth_audit import AuthAudit
from airflow_multicluster.demo.database import make_database, ready_database
from airflow_multicluster.demo.events import Events

if TYPE_CHECKING:
    from airflow_multicluster.demo.dag_test import DagRunOutcome
    from airflow_multicluster.demo.listener import TaskListener


def main(arguments: list[str]) -> None:
    """Run, tell, and leave without the interpreter's clean-up, which takes a second and cleans nothing of ours."""
    gc.set_threshold(10_000)  # with Python's own, a third of the processor time of a short Airflow process goes there
    events = Events(int(arguments[0]))
    try:
        run(events)
    except BaseException as error:
        events.tell("broken", error=f"{type(error).__name__}: {error}")
        raise
    sys.stdout.flush()
    os._exit(0)


def run(events: Events) -> None:
    """Load Airflow, take the world from the parent, run the DAG and tell how it ended."""
    listener = load_airflow(events)
    order = json.loads(sys.stdin.readline())
    threading.Thread(target=leave_with_parent, daemon=True).start()
    os.environ.update(order["env"])
    audit = AuthAudit()
    audit.start()
    outcome = run_the_dag(events, order.get("conf") or {})
    audit.stop()
    events.tell(
        "done",
        **dataclasses.asdict(outcome),
        last_task=listener.current,
        auth_subprocesses=audit.processes,
        auth_files=audit.files,
        other_processes=audit.other_processes,
        tokens_minted=minted(),
    )


def load_airflow(events: Events) -> TaskListener:
    """Import Airflow, listen to it, and see to its database."""
    home = Path(os.environ["AIRFLOW_HOME"])
    ready = ready_database(home)
    import airflow

    events.tell("phase", text=f"Airflow {airflow.__version__} loaded")
    from airflow.sdk.listener import get_listener_manager

    from airflow_multicluster.demo.listener import TaskListener
    from airflow_multicluster.demo.log_tap import LogTap

    if not ready:
        make_database(home)
        events.tell("phase", text="Airflow database made (kept for the next time)")
    listener = TaskListener(events)
    get_listener_manager().add_listener(listener)
    LogTap(lambda kind, text: events.tell(kind, task=listener.current, text=text)).attach()
    return listener


def run_the_dag(events: Events, conf: dict[str, Any]) -> DagRunOutcome:
    """Import the DAG and run it; the first task waits two seconds for Airflow's in-process API to be made."""
    from airflow_multicluster.demo.dag_test import outcome
    from airflow_multicluster.demo.dags.train_on_gpus import dag

    events.tell("phase", text=f"DAG {dag.dag_id} read, {len(dag.tasks)} tasks; Airflow starts its API in process")
    return outcome(dag.test(run_conf=conf))


def minted() -> dict[str, int]:
    """Return how many tokens each cluster's access made in this process."""
    from airflow_multicluster.registry import airflow_registry

    tokens = {name: cluster.access.tokens for name, cluster in airflow_registry().items()}
    return {name: cache.minted for name, cache in tokens.items() if cache is not None}


def leave_with_parent() -> None:
    """Wait for the end of the parent, then end at once."""
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
