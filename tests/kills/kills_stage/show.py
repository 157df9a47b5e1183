"""The whole of it: runs are started and parts are killed, until all is over."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from airflow_stage.waiting import until

from kills_stage.killer import Kill, Killer
from kills_stage.ledger import Ledger, Stay
from kills_stage.stage import Stage

ACTIVE = 3
"""How many runs are under way while anybody is killed."""
END_SECONDS = 240.0
"""How long the last runs may take once nobody is killed any more."""
BOUND = 120.0
"""Seconds after a lease's expiry in which its pool is gone: forty of grace (short/sitecustomize.py), a round of the
reaper, and what a cloud takes to delete a pool on a machine that is busy."""
TERM = 60.0
CRON = 10.0
"""Seconds between two rounds of the reaper."""


@dataclass(kw_only=True)
class Outcome:
    """What has happened, and what is left."""

    seed: int
    kills: list[Kill] = field(default_factory=list)
    runs: dict[tuple[str, str], str] = field(default_factory=dict)
    stays: list[Stay] = field(default_factory=list)
    pools_left: tuple[str, ...] = ()
    instances_left: tuple[str, ...] = ()
    schedules_left: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """Say it in one line."""
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(Counter(one.kind for one in self.kills).items()))
        states = ", ".join(f"{count} {state}" for state, count in sorted(Counter(self.runs.values()).items()))
        longest = max((stay.overstay for stay in self.stays), default=0.0)
        return (
            f"seed {self.seed}: {len(self.kills)} kills ({kinds}); runs: {states}; {len(self.stays)} pools made, "
            f"longest overstay {max(longest, 0):.0f} s past its lease; left: {len(self.pools_left)} pools, "
            f"{len(self.instances_left)} instances, {len(self.schedules_left)} schedules"
        )


def perform(stage: Stage, seed: int, tell: Callable[[str], None]) -> Outcome:
    """Kill fifty times, let all runs come to their end and all leases to theirs; say what has happened."""
    outcome = Outcome(seed=seed)
    began = time.monotonic()

    def say(what: str) -> None:
        tell(f"{time.monotonic() - began:6.1f} s  {what}")

    killer = Killer(stage, seed)
    say(f"seed {seed}")
    with Ledger(stage.world) as ledger:
        for number, (kind, pause) in enumerate(zip(killer.kinds, killer.pauses, strict=True), 1):
            _feed(stage)
            threading.Event().wait(pause)
            outcome.kills.append(killed := killer.kill(kind))
            say(f"kill {number}: {killed.kind}: {killed.victim}")
            if ended := stage.mend():
                say(f"ended by itself, started again: {', '.join(ended)}")
        until(lambda: (stage.mend(), not stage.unended())[1], "the end of all runs", patience=END_SECONDS, pace=2)
        say("all runs have ended")
        limit = time.monotonic() + TERM + BOUND
        while time.monotonic() < limit and _anything_left(stage):
            say(f"reap: {stage.reap()}")
            threading.Event().wait(CRON)
    outcome.runs, outcome.stays = stage.runs(), list(ledger.stays.values())
    report = stage.world.report()
    outcome.pools_left, outcome.instances_left = report.pools_left, report.instances_left
    outcome.schedules_left = tuple(stage.schedules())
    say(outcome.summary)
    return outcome


def _anything_left(stage: Stage) -> bool:
    report = stage.world.report()
    return bool(report.pools_left or report.instances_left or stage.schedules())


def _feed(stage: Stage) -> None:
    """Let there be runs under way. Where the API server does not answer, it is for the next time."""
    dags = stage.dags
    for number in range(ACTIVE - len(stage.unended())):
        with contextlib.suppress(OSError):
            stage.deployment.api.run(dags[(len(stage.runs()) + number) % len(dags)], f"run-{len(stage.runs()) + 1}")
