"""The reaper's rounds: the real one, in a process that dies as others do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from matrix.airflow import Airflow
from matrix.bracket import DEPLOYMENT
from matrix.clusters import Registry
from matrix.process import KilledError, Process
from matrix.virtual_time import VirtualTime
from multicluster.node_pools.lease import Lease
from multicluster.node_pools.reaping import RunState
from multicluster.reaper.judge import not_asked
from multicluster.reaper.reaper import Reaper


class Rounds:
    """Runs the reaper every *period* seconds: as a DAG, which ends with Airflow and knows its runs, or beside it."""

    def __init__(
        self,
        time: VirtualTime,
        airflow: Airflow,
        names: set[str],
        *,
        period: float,
        in_airflow: bool,
        told: Callable[[str, str], None],
    ) -> None:
        self.time, self.airflow, self._names = time, airflow, names
        self.period, self.in_airflow, self._told = period, in_airflow, told
        self.errors: list[str] = []
        self.on_start: Callable[[Process], None] = lambda _process: None
        self.on_report: Callable[[Any, float], None] = lambda _report, _began: None
        self.number = 0

    def begin(self, after: float) -> None:
        """Let the first round come after so many seconds, and others follow."""
        self.time.after(after, self._round)

    def _round(self) -> None:
        if self.in_airflow and self.airflow.gone:
            return
        self.time.after(self.period, self._round)
        if self.in_airflow and not self.airflow.up:
            return
        self.number += 1
        process = Process(f"reaper#{self.number}", self.time, lambda: self._reap(process))
        process.ended.append(self._ended)
        self.on_start(process)
        process.start()

    def _reap(self, process: Process) -> None:
        began = process.time.seconds
        registry = Registry(self._names, process.clock)
        runs = self._run_state if self.in_airflow else not_asked
        reaper = Reaper(registry.all(), runs=runs, at_once=1, clock=process.clock)
        report = reaper.carry_out(reaper.plan())
        self.on_report(report, began)
        for outcome in report.outcomes:
            self._told(process.name, f"{outcome.result.value} {outcome.step.name}: {outcome.reason}")
        for trouble in report.troubles:
            self._told(process.name, f"{trouble.cluster}: {trouble.text}")

    def _run_state(self, lease: Lease) -> RunState:
        origin = lease.origin
        if origin is None or origin.deployment != DEPLOYMENT:
            return RunState.NOT_ASKED
        if not self.airflow.up:
            return RunState.UNKNOWN
        run = self.airflow.runs.get((origin.dag_id, origin.run_id))
        return RunState.ALIVE if run and run.state == "running" else RunState.DEAD

    def _ended(self, process: Process) -> None:
        if process.error is not None and not isinstance(process.error, KilledError):
            self.errors.append(f"{process.name}: {type(process.error).__name__}: {process.error}")
