"""``multicluster demo --ui``: the same world under a real Airflow with its web interface, until somebody stops it."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from multicluster.cli.demo.cloud_watch import CloudEvent, CloudWatch
from multicluster.cli.demo.screen import screen
from multicluster.cli.demo.standalone import Standalone
from multicluster.cli.demo.timeline import Line
from multicluster.cli.demo.workshop import Workshop
from multicluster.cli.demo.worlds import end_abandoned, make_world, notices, world_environment
from multicluster.cli.output import say

if TYPE_CHECKING:
    from pathlib import Path

    from multicluster.cli.demo.scenarios import Scenario
    from multicluster.cli.demo.screen import Screen
    from multicluster.simulator.world import World

DAG = "train_on_gpus"
START_LIMIT = 180.0
"""Seconds within which Airflow must be up."""
ENDS = ("success", "failed")


def serve_ui(scenario: Scenario, logs: Path, *, ground: str = "simulator") -> int:
    """Start everything, trigger the DAG, print the address, and block until Ctrl-C or SIGTERM; returns 0."""
    workshop = Workshop(f"ui-{scenario.name}", logs)
    try:
        if ground == "testbed":
            for cluster in end_abandoned():
                say(f"ended {cluster}, which a demo that was killed had left")
            say("starting a Kubernetes for each cluster (about 10 seconds)")
        with make_world(ground, workshop.home, watched=True) as world, screen(sys.stdout) as shown:
            airflow = Standalone(workshop.home, workshop.log, world_environment(world))
            try:
                return Show(scenario, world, airflow, shown).run(notices(world, ground))
            except KeyboardInterrupt:
                return 0
            finally:
                shown.doing("stopping Airflow")
                airflow.stop()
    finally:
        kept = workshop.close()
        say(f"stopped; Airflow's own log: {kept}")


class Show:
    """One standalone Airflow in one world, on one screen."""

    def __init__(self, scenario: Scenario, world: World, airflow: Standalone, shown: Screen) -> None:
        self._scenario, self._world, self._airflow, self._screen = scenario, world, airflow, shown
        self._began = time.monotonic()
        self._pause = threading.Event()

    def run(self, notices: Sequence[str]) -> int:
        """Show what happens until interrupted; 1 when Airflow does not come up or ends by itself."""
        for line in notices:
            self._line("world", "say", line)
        self._line("airflow", "say", f"`airflow standalone` starts on {self._airflow.address} (20 to 60 seconds)")
        if not self._until(self._airflow.healthy, "Airflow starts"):
            return 1
        self._inject(at_first_line=False)
        watch = CloudWatch(self._world, self._cloud)
        watch.start()
        try:
            return self._show()
        finally:
            watch.stop()

    def _show(self) -> int:
        run_ids: list[str] = []

        def triggered() -> bool:
            run_ids.extend(filter(None, [self._airflow.trigger(DAG, self._scenario.conf)]))
            return bool(run_ids)

        if not self._until(triggered, "Airflow reads the DAG"):
            return 1
        self._line("airflow", "running", f"{DAG} runs: {self._airflow.address}/dags/{DAG}/runs/{run_ids[0]}")
        self._until(lambda: self._ended(run_ids[0]), f"{DAG} runs; Ctrl-C stops", limit=None)
        self._until(lambda: False, f"open {self._airflow.address} and trigger more; Ctrl-C stops", limit=None)
        return 1

    def _ended(self, run_id: str) -> bool:
        state = self._airflow.state(DAG, run_id)
        if state in ENDS:
            self._line("airflow", state, f"the run ended: {state}")
        return state in ENDS

    def _until(self, done: Callable[[], bool], doing: str, *, limit: float | None = START_LIMIT) -> bool:
        """Ask once a second; False when Airflow has ended, or the limit is over."""
        self._screen.doing(doing)
        end = None if limit is None else time.monotonic() + limit
        while self._airflow.running:
            with contextlib.suppress(OSError):  # a busy Airflow may not answer in time; it is asked again
                if done():
                    return True
            if end is not None and time.monotonic() > end:
                self._line("airflow", "failed", f"gave up after {limit:g} s: {doing}")
                return False
            self._pause.wait(1)
        self._line("airflow", "failed", "Airflow ended by itself; its log says why")
        return False

    def _cloud(self, event: CloudEvent) -> None:
        self._line(event.cluster, "cloud", event.text)
        if "advertises" in event.text:
            self._inject(at_first_line=True)

    def _inject(self, *, at_first_line: bool) -> None:
        for injection in self._scenario.injections:
            if injection.at_first_line == at_first_line:
                self._world.inject(injection.fault, target=injection.target, times=injection.times)
                self._line("world", "fault", f"fault injected: {injection.fault}")

    def _line(self, lane: str, mark: str, text: str) -> None:
        self._screen.show(Line(at=time.monotonic() - self._began, lane=lane, mark=mark, text=text))
