"""Kill what an Airflow is made of, at random: the same seed chooses the same."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Sequence
from dataclasses import dataclass

from airflow_stage import reaper
from airflow_stage.waiting import until

from kills_stage.stage import Stage

RUNNER = "task runner"
DECK = {RUNNER: 20, "triggerer": 12, "scheduler": 9, "api-server": 9}
"""How many of each: fifty."""
PAUSES = 2.0, 8.0
"""Seconds between two kills, at the least and at the most."""
RUNNERS = "SELECT pid, dag_id, run_id, task_id FROM task_instance WHERE state = 'running' AND pid IS NOT NULL"


@dataclass(frozen=True, kw_only=True)
class Kill:
    """Somebody was killed."""

    kind: str
    victim: str


class Killer:
    """Kill one after another; whom, in which order and after which pause follows from the seed."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self._stage = stage
        self._random = random.Random(seed)
        self.kinds = self._random.sample(sorted(DECK), k=sum(DECK.values()), counts=[DECK[one] for one in sorted(DECK)])
        self.pauses = [self._random.uniform(*PAUSES) for _ in self.kinds]

    def kill(self, kind: str) -> Kill:
        """Kill one of a kind, once there is one; what is a part of Airflow is started again."""
        return self._runner() if kind == RUNNER else self._part(kind)

    def _part(self, kind: str) -> Kill:
        name = self._random.choice(until(lambda: self._stage.parts(kind), f"a {kind}"))
        self._stage.deployment.running[name].kill()
        self._stage.deployment.launch(name)
        return Kill(kind=kind, victim=name)

    def _runner(self) -> Kill:
        runners = until(self._runners, f"a {RUNNER}")
        pid, *task = self._random.choice(runners)
        os.kill(pid, signal.SIGKILL)
        return Kill(kind=RUNNER, victim=" ".join(task))

    def _runners(self) -> Sequence[tuple[int, str, str, str]]:
        """Return the processes in which tasks run, and which."""
        schedulers = {self._stage.deployment.running[name].process.pid for name in self._stage.parts("scheduler")}
        living = set(reaper.members(schedulers))
        return [(pid, *task) for pid, *task in sorted(self._stage.ask(RUNNERS)) if pid in living]
