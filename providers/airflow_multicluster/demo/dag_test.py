"""Run a DAG in this process, from start to end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class DagRunOutcome:
    """How a run and each of its tasks ended, in Airflow's words. A mapped task is named ``task_id[map_index]``."""

    dag_id: str
    run_id: str
    state: str
    tasks: Mapping[str, str | None]


def run_dag(dag: Any, conf: Mapping[str, Any] | None = None) -> DagRunOutcome:
    """Run *dag* with ``dag.test()``: one task at a time, triggers in line, in this process; blocks until it ends.

    The DAG is registered first, so that it need not stand in a file of the DAGs folder.
    """
    register(dag)
    run = dag.test(run_conf=dict(conf or {}))
    return outcome(run)


def outcome(run: Any) -> DagRunOutcome:
    """Read the end of a run from the database."""
    tasks = {}
    for instance in run.get_task_instances():
        name = instance.task_id if instance.map_index < 0 else f"{instance.task_id}[{instance.map_index}]"
        tasks[name] = None if instance.state is None else str(instance.state)
    return DagRunOutcome(dag_id=run.dag_id, run_id=run.run_id, state=str(run.state), tasks=tasks)


def register(dag: Any) -> None:
    """Write *dag* to the database as if its file had been parsed from the DAGs folder."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.collection import update_dag_parsing_results_in_db
    from airflow.serialization.serialized_objects import LazyDeserializedDAG
    from airflow.utils.session import create_session

    manager = DagBundlesManager()
    bundle = next(iter(manager.get_all_dag_bundles()))
    with create_session() as session:
        manager.sync_bundles_to_db(session=session)
        session.flush()
        serialized = [LazyDeserializedDAG.from_dag(dag)]
        update_dag_parsing_results_in_db(bundle.name, None, serialized, {}, None, set(), session=session)
