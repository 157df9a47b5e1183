"""Ask Airflow what became of runs and tasks, through the supervisor of the task that asks; never its database."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Protocol

from multicluster.node_pools.lease import Lease
from multicluster.node_pools.reaping import RunState

ENDED = ("success", "failed")
FINISHED = frozenset({"success", "failed", "skipped", "upstream_failed", "removed"})
"""States of a task instance in which no try of it runs, nor will by itself."""
log = logging.getLogger(__name__)


class Asks(Protocol):
    """What Airflow's RuntimeTaskInstance offers to tasks."""

    def get_dr_count(self, dag_id: str, *, run_ids: list[str] | None = None, states: list[str] | None = None) -> int:
        """Count runs; 0 for what does not exist."""
        ...

    def get_task_states(
        self,
        dag_id: str,
        map_index: int | None = None,
        task_ids: list[str] | None = None,
        *,
        run_ids: list[str] | None = None,
    ) -> Mapping[str, Mapping[str, Any]]:
        """Return states of task instances by run; what does not exist is missing."""
        ...


class RunStates:
    """Knows runs and tasks of this *deployment* only; a nameless one knows none."""

    def __init__(self, ti: Asks, *, deployment: str) -> None:
        self._ti, self._deployment = ti, deployment

    def of_lease(self, lease: Lease) -> RunState:
        """Say what became of the run that a lease's pool was made for; asked anew each time."""
        origin = lease.origin
        if origin is None or not self._deployment or origin.deployment != self._deployment:
            return RunState.NOT_ASKED
        try:
            return self.of_run(origin.dag_id, origin.run_id)
        except Exception as error:  # noqa: BLE001 - the lease decides where Airflow cannot say
            log.warning("Airflow does not say what became of run %r of DAG %r: %s", origin.run_id, origin.dag_id, error)
            return RunState.UNKNOWN

    def of_run(self, dag_id: str, run_id: str) -> RunState:
        """Say whether a run is dead: ended, or not there (any more)."""
        if self._ti.get_dr_count(dag_id, run_ids=[run_id], states=list(ENDED)):
            return RunState.DEAD
        return RunState.ALIVE if self._ti.get_dr_count(dag_id, run_ids=[run_id]) else RunState.DEAD

    def of_task(self, dag_id: str, run_id: str, task_id: str, map_index: int) -> str | None:
        """Return the state in which a task instance has finished, ``deleted`` with its run; None unless it has."""
        mapped = map_index >= 0
        states = self._ti.get_task_states(dag_id, map_index if mapped else None, [task_id], run_ids=[run_id])
        of_run = states.get(run_id, {})
        name = f"{task_id}_{map_index}" if mapped else task_id
        if name in of_run:
            state = of_run[name]
            return str(state) if state in FINISHED else None
        return None if self._ti.get_dr_count(dag_id, run_ids=[run_id]) else "deleted"
