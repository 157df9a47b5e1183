"""Play the scenario of a seed, and say what came of it."""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from matrix.airflow import FINAL, Airflow, Run
from matrix.bracket import Bracket
from matrix.clusters import GKE, ROLE
from matrix.doors import open_into
from matrix.laws import Laws
from matrix.people import DEEDS, People
from matrix.process import Process
from matrix.reaping import Rounds
from matrix.scenario import Deed, Scenario, Trouble, scenario
from matrix.seeded import seeded
from matrix.virtual_time import START
from matrix.world import World
from multicluster.node_pools.lease import Lease
from multicluster.simulator.injection import build

LAST = START + 24 * 3600
"""When a scenario ends that does not end by itself."""
CHANGES = ("CreateSchedule", "CreateNodegroup", "UpdateSchedule", "TagResource", "DeleteNodegroup")
"""Calls that change something, at which it is worst to die."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a seed."""

    seed: int
    violations: tuple[str, ...]
    trace: tuple[str, ...]
    faults: Counter[str]
    deleted_by: Counter[str]
    kills: int
    pools: int
    overstay: float
    bound: float
    lasted: float

    def without_trace(self) -> Outcome:
        """Return it in a form that travels."""
        return replace(self, trace=())


class Play:
    """One scenario, from its first call to the moment at which nothing is left that could happen."""

    def __init__(self, wanted: Scenario, *, take: Callable[[Any], Any] = lambda world: world) -> None:
        self.scenario = wanted
        self.trace: list[tuple[float, str, str]] = []
        self.kills = 0
        self.world = take(World(wanted.seed, told=self.told))
        time = self.world.time
        self.chance = random.Random(f"play {wanted.seed}")
        self.names = set(wanted.names)
        self.airflow = Airflow(time, random.Random(f"airflow {wanted.seed}"), self.told)
        self.laws = Laws(self.world, self.airflow, wanted, told=self.told)
        self.people = People(self.world, self.airflow, self.laws, names=self.names, chance=self.chance, told=self.told)
        self.brackets = [Bracket(plan, self.names, told=self.told, occupy=self.world.occupy) for plan in wanted.plans]
        self.laws.names = self.names
        self.airflow.on_start = self._started
        self.rounds = [self._rounds(place) for place in wanted.reapers]
        self._struck: Counter[str] = Counter()
        self._last = 0.0
        self._lay_out()

    def told(self, who: str, what: str) -> None:
        """Note what happens."""
        self.trace.append((self.world.time.seconds - START if hasattr(self, "world") else 0.0, who, what))

    def run(self) -> Outcome:
        """Let it happen."""
        time, laws = self.world.time, self.laws
        while time.step(LAST):
            laws.check()
            if laws.violations or self._over():
                break
        if not laws.violations:
            laws.at_the_end()
        for error in (error for rounds in self.rounds for error in rounds.errors):
            laws.broken(f"an error that nobody expected: {error}")
        self._count_faults()
        return Outcome(
            seed=self.scenario.seed,
            violations=tuple(laws.violations),
            trace=tuple(f"{at:10.3f} {who}: {what}" for at, who, what in self.trace),
            faults=self._struck,
            deleted_by=laws.deleted_by,
            kills=self.kills + self.world.wire.kills,
            pools=laws.made,
            overstay=laws.longest,
            bound=self.scenario.bound,
            lasted=time.seconds - START,
        )

    def _over(self) -> bool:
        if self.world.time.seconds < self._last or self.laws.unfinished():
            return False
        if self.airflow.gone:
            return True
        if not self.airflow.up:
            return False
        return all(task.state in FINAL for run in self.airflow.runs.values() for task in run.tasks.values())

    def _lay_out(self) -> None:
        wanted, after = self.scenario, self.world.time.after
        self._strangers()
        for begins, bracket in zip(wanted.begins, self.brackets, strict=True):
            self._at(begins, lambda bracket=bracket: self.airflow.add(bracket.run))
        for one in wanted.troubles:
            after(one.begins, lambda one=one: self._begin(one))
            after(one.ends, lambda one=one: self._end(one))
        for deed in wanted.deeds:
            self._at(deed.at, lambda deed=deed: self._do(deed))
        for rounds in self.rounds:
            rounds.begin(self.chance.uniform(0, wanted.period))

    def _at(self, seconds: float, act: Callable[[], None]) -> None:
        self._last = max(self._last, START + seconds)
        self.world.time.after(seconds, act)

    def _rounds(self, place: str) -> Rounds:
        rounds = Rounds(
            self.world.time,
            self.airflow,
            self.names,
            period=self.scenario.period,
            in_airflow=place == "in Airflow",
            told=self.told,
        )
        rounds.on_start, rounds.on_report = self._reaper_started, self.laws.reported
        return rounds

    def _strangers(self) -> None:
        """Put pools there that are none of our business; the scenario may want one under a name of ours."""
        far = self.world.time.now().timestamp() + 7 * 86400
        lease = Lease.from_labels(
            {
                "multicluster-managed-by": "airflow-multicluster",
                "multicluster-owner": "0123456789abcdef0123",
                "multicluster-expires": str(int(far)),
            }
        )
        assert lease is not None
        cluster = self.scenario.plans[0].cluster
        both = {"platform": {}, "mc-train-0123456789abcdef0123": lease.to_labels()}
        name = self.chance.choice(list(both))
        self._stranger(cluster, name, both[name])
        if self.scenario.squatter:
            tags = lease.to_labels() if self.scenario.squatter == "another" else {}
            self._stranger(cluster, self.scenario.plans[0].pool, tags)

    def _stranger(self, cluster: str, name: str, tags: dict[str, str]) -> None:
        aws, google = self.world.aws, self.world.google
        if cluster in GKE:
            config = {"machineType": "e2-medium", "resourceLabels": tags}
            pool = {"nodePool": {"name": name, "initialNodeCount": 0, "config": config}}
            place = next(iter(google.clusters.all.values()))
            self.world.do(lambda: google.pools.create(place, pool))
            google.operations.all.clear()  # it is long over
            return
        there = next(one for one in aws.clusters.all.values() if one.name == cluster)
        body = {
            "nodegroupName": name,
            "subnets": ["subnet-a"],
            "nodeRole": f"{ROLE}gpu-node",
            "instanceTypes": ["m5.xlarge"],
            "scalingConfig": {"minSize": 0, "maxSize": 1, "desiredSize": 0},
            "tags": tags,
        }
        self.world.do(lambda: aws.nodegroups.create(there, body))

    def _begin(self, one: Trouble) -> None:
        self.told("trouble", f"{one.name} begins ({one.times or 'always'}, {dict(one.options)})")
        self.world.faults.add(build(one.name, times=one.times, options=one.options))

    def _end(self, one: Trouble) -> None:
        self._struck[one.name] += self.world.faults.struck(one.name)
        self.world.faults.remove(one.name)
        self.told("trouble", f"{one.name} is over")

    def _count_faults(self) -> None:
        for one in self.scenario.troubles:
            if one.name not in self._struck:
                self._struck[one.name] += self.world.faults.struck(one.name)

    def _do(self, deed: Deed) -> None:
        if deed.what in DEEDS:
            self.people.do(deed.what, self.brackets[deed.bracket])
            return
        self.told("fate", f"{deed.what} dies{'' if deed.seconds is None else f' for {deed.seconds:.0f} s'}")
        self.kills += 1
        if deed.what == "Airflow":
            self.airflow.die(back_after=deed.seconds)
        elif deed.what == "triggerer":
            self.airflow.kill_triggerer()
        else:
            self.airflow.stop_scheduler(deed.seconds or 60.0)

    def _started(self, process: Process, run: Run, role: str) -> None:
        self.laws.owner_of[process] = next(one for one in self.brackets if one.run is run)
        self._burden(process, calls=40 if role == "trigger" else 12)
        if self.scenario.stillborn and process.name.startswith(f"{self.brackets[0].run.name}.create#"):
            process.dies_at_call = ("CreateNodegroup", "after")

    def _reaper_started(self, process: Process) -> None:
        self.laws.owner_of[process] = "reaper"
        self._burden(process, calls=16)

    def _burden(self, process: Process, *, calls: int) -> None:
        """Draw what will befall a process; the same draws for each, so that one thing left out changes no other."""
        wanted, chance = self.scenario, self.chance
        dies, number, moment = chance.random(), chance.randint(1, calls), chance.choice(("before", "after"))
        call: int | str = chance.choice((number, number, *CHANGES))
        stands, where, long = chance.random(), chance.randint(1, calls), chance.uniform(5, 390)
        process.skew = chance.uniform(-wanted.skew, wanted.skew)
        if dies < wanted.mortality:
            process.dies_at_call = (call, moment)
        if stands < wanted.standstills:
            process.pauses_at_call = (where, long)


def play(seed: int) -> Outcome:
    """Play a seed."""
    logging.disable(logging.CRITICAL)
    try:
        with seeded(seed):
            played = Play(scenario(seed))
            open_into(played.world)
            return played.run()
    finally:
        open_into(None)
        logging.disable(logging.NOTSET)
