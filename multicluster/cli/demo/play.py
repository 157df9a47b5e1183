"""Play one scenario: a world in this process, Airflow in another, and everything that happens on one screen."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from multicluster.cli.demo.airflow_process import AirflowProcess
from multicluster.cli.demo.cloud_watch import CloudEvent, CloudWatch
from multicluster.cli.demo.facts import Cloud, Facts
from multicluster.cli.demo.scenarios import CLUSTERS
from multicluster.cli.demo.timeline import Line, Timeline
from multicluster.cli.demo.worlds import (
    containers,
    end_abandoned,
    judge,
    kubelets,
    launches,
    make_world,
    notices,
    world_environment,
)

if TYPE_CHECKING:
    from multicluster.cli.demo.scenarios import Injection, Scenario
    from multicluster.cli.demo.screen import Screen
    from multicluster.simulator.world import World

LIMIT = 180.0
"""Seconds after which a run is given up."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Where a scenario is played. *log* takes Airflow's own log."""

    home: Path
    log: Path
    screen: Screen
    ground: str = "simulator"
    echo: bool = False


def play(scenario: Scenario, stage: Stage, *, clock: Callable[[], float] = time.monotonic) -> Facts:
    """Play it to its end and return what was counted; nothing that was started is left behind."""
    return Play(scenario, stage, clock).run()


class Play:
    """One performance."""

    def __init__(self, scenario: Scenario, stage: Stage, clock: Callable[[], float]) -> None:
        self._scenario, self._stage, self._clock = scenario, stage, clock
        self._began = clock()
        self._news: queue.Queue[Mapping[str, Any] | CloudEvent] = queue.Queue()
        self._timeline = Timeline()
        self._waiting = [one for one in scenario.injections if one.at_first_line]

    def run(self) -> Facts:
        """Start Airflow first: while it is loaded, the world is made."""
        airflow = AirflowProcess(self._stage.home, self._stage.log, hear=self._news.put, echo=self._stage.echo)
        try:
            self._say("demo", f"scenario {self._scenario.name} promises: {self._scenario.story}")
            self._say("airflow", "loading in a process of its own")
            if self._stage.ground == "testbed":
                self._clear_away()
            world = make_world(self._stage.ground, self._stage.home)
            try:
                return self._with_world(airflow, world)
            finally:
                world.stop()
        finally:
            airflow.stop(patience=0)

    def _clear_away(self) -> None:
        for cluster in end_abandoned():
            self._say("testbed", f"ended {cluster}, which a demo that was killed had left")
        self._say("testbed", "starting a Kubernetes for each cluster (about 10 seconds)")

    def _with_world(self, airflow: AirflowProcess, world: World) -> Facts:
        for line in notices(world, self._stage.ground):
            self._say("world", line)
        for injection in self._scenario.injections:
            if not injection.at_first_line:
                self._inject(world, injection)
        try:
            airflow.enter(world_environment(world), self._scenario.conf)
        except BrokenPipeError:
            return self._facts(world, {}, "it ended while it was loaded")
        watch = CloudWatch(world, self._news.put)
        watch.start()
        try:
            end = self._follow(world)
        finally:
            watch.stop()
        self._drain()
        broken = "" if end["kind"] == "done" else str(end.get("error") or "it stopped without a word")
        return self._facts(world, end, broken)

    def _follow(self, world: World) -> Mapping[str, Any]:
        while True:
            left = LIMIT - (self._clock() - self._began)
            try:
                news = self._news.get(timeout=max(0.0, left))
            except queue.Empty:
                return {"kind": "broken", "error": f"the run took more than {LIMIT:g} seconds"}
            if isinstance(news, CloudEvent):
                self._show(self._timeline.cloud(self._now(), news))
                continue
            if news["kind"] in {"done", "broken", "end"}:
                return news
            self._show(self._timeline.airflow(self._now(), news))
            self._stage.screen.doing(self._timeline.doing)
            if news["kind"] == "line" and self._waiting:
                self._inject(world, self._waiting.pop(0))

    def _drain(self) -> None:
        while not self._news.empty():
            news = self._news.get_nowait()
            if isinstance(news, CloudEvent):
                self._show(self._timeline.cloud(self._now(), news))

    def _inject(self, world: World, injection: Injection) -> None:
        world.inject(injection.fault, target=injection.target, times=injection.times)
        times = {None: "", 1: ", once"}.get(injection.times, f", {injection.times} times")
        self._show(Line(at=self._now(), lane="world", mark="fault", text=f"fault injected: {injection.fault}{times}"))

    def _facts(self, world: World, end: Mapping[str, Any], broken: str) -> Facts:
        report = world.report()
        launched = launches(world)
        clouds = {
            name: Cloud(
                pools_left=part.pools_left,
                instances_left=part.instances_left,
                nodes_left=part.nodes_left,
                instances_launched=launched[name],
                tokens_seen=part.tokens_seen,
                tokens_accepted=part.tokens_verified,
                tokens_refused=part.tokens_refused,
                kubelets_left=kubelets(world, cluster),
                containers=containers(world, cluster),
            )
            for name, part, cluster in (
                ("aws", report.aws, CLUSTERS["eks"]),
                ("google", report.google, CLUSTERS["gke"]),
            )
        }
        return Facts(
            **clouds,
            ground=self._stage.ground,
            judge=judge(world),
            dag_id=end.get("dag_id", ""),
            run_id=end.get("run_id", ""),
            run_state=end.get("state", "never started"),
            tasks=end.get("tasks", {}),
            tokens_minted=end.get("tokens_minted", {}),
            auth_subprocesses=tuple(end.get("auth_subprocesses", ())),
            auth_files=tuple(end.get("auth_files", ())),
            other_processes=tuple(end.get("other_processes", ())),
            gpu_idle_seconds=report.gpu_idle_seconds,
            gpu_busy_seconds=report.gpu_busy_seconds,
            seconds=self._now(),
            broken=broken,
        )

    def _now(self) -> float:
        return self._clock() - self._began

    def _say(self, lane: str, text: str) -> None:
        self._show(Line(at=self._now(), lane=lane, mark="say", text=text))

    def _show(self, line: Line | None) -> None:
        if line is not None:
            self._stage.screen.show(line)
