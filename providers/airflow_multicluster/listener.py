"""Nudge the reaper when a run times out: Airflow skips the teardowns of such a run, so that its pools are left."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime
from typing import Any

from airflow.listeners import hookimpl

TIMED_OUT = "timed_out"
"""What the scheduler says of a run that met its dagrun_timeout (airflow.jobs.scheduler_job_runner)."""
REAPER = "multicluster_reaper"
"""The reaper's DAG (dags/reaper.py), unless ``[multicluster] reaper_dag`` names another."""
NUDGE = "multicluster-nudge"
log = logging.getLogger(__name__)


@hookimpl
def on_dag_run_failed(dag_run: Any, msg: str) -> None:
    """Have the reaper DAG run once, from a thread: the scheduler neither waits for it nor hears of its trouble."""
    if msg != TIMED_OUT or any(thread.name == NUDGE for thread in threading.enumerate()):
        return  # one nudge is for all runs: many threads would take the scheduler's connections to the database
    run = (str(dag_run.dag_id), str(dag_run.run_id))
    threading.Thread(target=_nudge, args=run, name=NUDGE, daemon=True).start()


def _nudge(dag_id: str, run_id: str) -> None:
    try:
        nudged = trigger_reaper(datetime.now(UTC))
    except Exception:  # this thread ends here; the reaper's own schedule comes in any case
        log.exception("Run %r of DAG %r timed out; the reaper could not be asked to run at once", run_id, dag_id)
        return
    if nudged:
        log.info("Run %r of DAG %r timed out: asked for run %r of the reaper", run_id, dag_id, nudged)


def trigger_reaper(now: datetime) -> str | None:
    """Ask for a run of the reaper DAG, at most one a minute; None where there is no such DAG, or it is paused."""
    from airflow.api.common.trigger_dag import trigger_dag
    from airflow.exceptions import DagRunAlreadyExists
    from airflow.models.dag import DagModel
    from airflow.providers.common.compat.sdk import conf
    from airflow.utils.types import DagRunTriggeredByType

    dag_id = str(conf.get("multicluster", "reaper_dag", fallback="") or REAPER)
    dag = DagModel.get_dagmodel(dag_id)
    if dag is None or dag.is_paused:
        log.info("There is no DAG %r that is not paused; node pools of timed-out runs wait for their leases", dag_id)
        return None
    name = f"{TIMED_OUT}__{now:%Y-%m-%dT%H:%M}"
    try:
        trigger_dag(dag_id=dag_id, run_id=name, triggered_by=DagRunTriggeredByType.OPERATOR)
    except DagRunAlreadyExists:
        return None
    return name
