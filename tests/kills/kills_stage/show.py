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

ACTIVE = 4
"""How many runs are under way while anybody is killed."""
END_SECONDS = 240.0
"""How long the last runs may take once nobody is killed any more."""
BOUND = 120.0
"""Seconds after a lease's expiry in which its pool is gone: forty of grace (short/sitecustomize.py), a round of the
reaper, and what a cloud takes to delete a pool on a machine that is busy."""
TERM = 60.0
CRON = 30.0
"""Seconds between two rounds of the reaper, at the least."""


@dataclass(kw_only=True)
class Outcome:
    """What has happened, and what is left."""

    seed: int
    kills: list[Kill] = field(default_factory=list)
    runs: dict[tuple[str, str], str] = field(default_factory=dict)
    stays: list[Stay] = field(default_factory=list)
    reaped: list[str] = field(default_factory=list)
    """What the reaper did."""
    fired: list[str] = field(default_factory=list)
    """The dead-man schedules that have fired."""
    pools_left: tuple[str, ...] = ()
    instances_left: tuple[str, ...] = ()
    schedules_left: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """Say it in one line."""
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(Counter(one.kind for one in self.kills).items()))
        states = ", ".join(f"{count} {state}" for state, count in sorted(Counter(self.runs.values()).items()))
        longest = max((stay.overstay for stay in self.stays), default=0.0)
        pools_reaped = sum(one.startswith("done pool") for one in self.reaped)
        return (
            f"seed {self.seed}: {len(self.kills)} kills ({kinds}); runs: {states}; {len(self.stays)} pools made, "
            f"longest overstay {max(longest, 0):.0f} s past its lease; {len(self.fired)} dead-man switches fired, "
            f"{pools_reaped} pools reaped; left: {len(self.pools_left)} pools, "
            f"{len(self.instances_left)} instances, {len(self.schedules_left)} schedules"
        )


class Show:
    """One performance; what has happened is in ``outcome``."""

    def __init__(self, stage: Stage, seed: int, tell: Callable[[str], None]) -> None:
        self.outcome = Outcome(seed=seed)
        self._stage, self._tell = stage, tell
        self._began = self._reaped_at = time.monotonic()

    def perform(self) -> Outcome:
        """Kill fifty times, let all runs come to their end and all leases to theirs."""
        self._say(f"seed {self.outcome.seed}")
        with Ledger(self._stage.world) as ledger:
            self._kill()
            self._await(lambda: not self._stage.unended(), END_SECONDS)
            self._say("all runs have ended" if not self._stage.unended() else f"not ended: {self._stage.unended()}")
            self._await(self._nothing_left, TERM + BOUND)
        self._look(ledger)
        self._say(self.outcome.summary)
        return self.outcome

    def _say(self, what: str) -> None:
        self._tell(f"{time.monotonic() - self._began:6.1f} s  {what}")

    def _kill(self) -> None:
        killer = Killer(self._stage, self.outcome.seed)
        for number, (kind, pause) in enumerate(zip(killer.kinds, killer.pauses, strict=True), 1):
            self._feed()
            threading.Event().wait(pause)
            self.outcome.kills.append(killed := killer.kill(kind))
            self._say(f"kill {number}: {killed.kind}: {killed.victim}")
            self._tend()

    def _feed(self) -> None:
        """Let there be runs under way. Where the API server does not answer, it is for the next time."""
        dags, known = self._stage.dags, len(self._stage.runs())
        for number in range(known, known + ACTIVE - len(self._stage.unended())):
            with contextlib.suppress(OSError):
                self._stage.deployment.api.run(dags[number % len(dags)], f"run-{number + 1}")

    def _tend(self) -> None:
        """Start again what has ended, and let the reaper go its round when it is time."""
        if ended := self._stage.mend():
            self._say(f"ended by itself, started again: {', '.join(ended)}")
        if time.monotonic() - self._reaped_at > CRON:
            for deed in (done := self._stage.reap()):
                self._say(f"reaper: {deed}")
            self.outcome.reaped += done
            self._reaped_at = time.monotonic()

    def _await(self, condition: Callable[[], bool], seconds: float) -> None:
        """Tend until a condition holds, or the time is over: what is then is for the tests to judge."""
        with contextlib.suppress(TimeoutError):
            until(lambda: (self._tend(), condition())[1], "the end", patience=seconds, pace=2)

    def _nothing_left(self) -> bool:
        report = self._stage.world.report()
        return not (report.pools_left or report.instances_left or self._stage.schedules())

    def _look(self, ledger: Ledger) -> None:
        outcome, stage, report = self.outcome, self._stage, self._stage.world.report()
        outcome.runs, outcome.stays, outcome.fired = stage.runs(), list(ledger.stays.values()), stage.fired()
        outcome.pools_left, outcome.instances_left = report.pools_left, report.instances_left
        outcome.schedules_left = tuple(stage.schedules())
