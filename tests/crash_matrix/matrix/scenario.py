"""Draw a scenario from a seed: what is to be done, what goes wrong, who dies, what people do; all times in seconds."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

from matrix.bracket import Plan
from matrix.clusters import EKS, GKE
from matrix.people import DEEDS

IN, BESIDE = "in Airflow", "beside it"
DELETION = 445.0
"""What the clouds take to delete a group: 120 s of draining, 320 s for the instances, and the calls."""
GRACE = 900.0
STOCKOUT = 2160.0
"""How long a group without capacity stays CREATING, in which EKS refuses to delete it."""
DEAD_MAN_RETRY = 480.0
"""The longest distance between two tries of EventBridge Scheduler."""
SLACK = 240.0
"""Clocks that are wrong, processes that stand still, answers that are late."""

CALLS = {
    "operation-running": 0.7,
    "throttled": 0.5, "too-many-requests": 0.5, "request-limit": 0.5, "server-error": 0.5, "unavailable": 0.5,
    "deadline-exceeded": 0.5, "denied": 0.7, "expired-token": 0.7, "propagation-delay": 0.5, "drop": 0.5,
    "slow": 0.5, "hang": 0.3, "client-error": 0.3,
    "lost-response": 0.5, "late-response": 0.3, "error-after-acting": 0.5,
}  # fmt: skip
"""Faults that may strike any call of the clouds, and the chance with which they do."""
AWS_CALLS = (
    "CreateNodegroup", "DeleteNodegroup", "DescribeNodegroup", "TagResource", "ListNodegroups", ".*Schedule",
    "CreateSchedule", "GetSchedule", "UpdateSchedule", "DescribeInstances",
)  # fmt: skip
GOOGLE_CALLS = tuple(rf"nodePools\.{verb}" for verb in ("create", "delete", "get", "list", "update", "setSize"))
ONCE = ("create-in-use", "create-not-now", "create-limit", "create-denied", "invalid-parameter", "delete-refused")
STEPS = (
    "no-capacity", "no-quota", "create-fails", "never-ready", "no-gpu", "unknown-status", "subnet-gone",
    "not-found-yet", "not-found-yet",
)  # fmt: skip
UNDELETED = ("delete-fails", "delete-fails-security-group")
OTHERS = ("dead-man-refused", "dead-man-late", "api-server-error", "unauthorized", "api-server-drops")


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """A fault of the simulator's catalogue, in force from one moment to another."""

    name: str
    begins: float
    ends: float
    times: int | None
    options: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Deed:
    """What a person does to the bracket of that number, or how a part of Airflow dies."""

    at: float
    what: str
    bracket: int = 0
    seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """All that follows from a seed."""

    seed: int
    plans: tuple[Plan, ...]
    begins: tuple[float, ...]
    troubles: tuple[Trouble, ...] = ()
    deeds: tuple[Deed, ...] = ()
    reapers: tuple[str, ...]
    """Where they run: in Airflow, beside it, in both places, or nowhere."""
    period: float
    mortality: float
    """The chance of each process to be killed at one of its calls."""
    standstills: float
    """The chance of each process to stand still for minutes before one of its calls."""
    skew: float
    """What a machine's clock may be wrong by."""
    names: tuple[str, ...]
    """The clusters in the registry."""
    stillborn: bool = False
    """Whether the first bracket's create dies each time the cloud has made its pool, which nobody sees at first."""
    squatter: str = ""
    """Whose pool stands under the name that the first bracket will ask for: nobody's or another owner's."""
    alone: bool = field(default=False)
    """Whether nobody but the dead-man switch may be left to end a pool."""

    @property
    def calm(self) -> bool:
        """Whether nothing goes wrong at all."""
        return not (self.troubles or self.deeds or self.mortality or self.standstills or self.squatter)

    @property
    def without_reaper(self) -> float:
        """For how long at most no reaper runs, though there is one: where it dies and comes back with Airflow."""
        if self.reapers != (IN,):
            return 0.0
        return sum(one.seconds or 0.0 for one in self.deeds if one.what in {"Airflow", "scheduler"})

    @property
    def bound(self) -> float:
        """How long a pool may outlive its lease and its work: the sum of what may come one after the other."""
        undeleted = sum(one.times or 0 for one in self.troubles if one.name in UNDELETED)
        lasting = (one.ends - one.begins for one in self.troubles if one.name not in {*STEPS, *UNDELETED})
        outage = sum(lasting)
        stockout = (
            STOCKOUT if any(one.name in {"no-capacity", "no-quota", "never-ready"} for one in self.troubles) else 0.0
        )
        rounds = self.period * (2 + 4 * bool(self.mortality))
        switch = DEAD_MAN_RETRY + 60 + max(plan.term for plan in self.plans)
        asked = max(rounds, switch) if self.alone else rounds
        return GRACE + asked + DELETION + undeleted * (DELETION + self.period) + outage + stockout + SLACK


def scenario(seed: int) -> Scenario:
    """Draw the scenario of a seed."""
    chance = random.Random(f"scenario {seed}")
    calm = chance.random() < 0.06
    plans = tuple(_plan(chance, seed, number) for number in range(chance.choice((1, 1, 1, 2))))
    reapers = chance.choice(((IN,), (IN,), (IN,), (BESIDE,), (BESIDE,), (IN, BESIDE), ()))
    drawn = sorted((*_people(chance, len(plans)), *_ends(chance)), key=lambda one: one.at)
    deeds = () if calm else tuple(drawn)
    gone = any(one.what == "Airflow" and one.seconds is None for one in deeds)
    removed = any(one.what == "remove the cluster from the registry" for one in deeds)
    alone = removed or not reapers or (reapers == (IN,) and gone)
    squatter = chance.choice(("",) * 12 + ("nobody", "another"))
    stillborn = chance.random() < 0.08 and not squatter
    clouds = tuple(sorted({plan.cluster in GKE for plan in plans}))
    operations = (".*", *(call for google in clouds for call in (GOOGLE_CALLS if google else AWS_CALLS)))
    troubles = _troubles(chance, operations, undeleted=not alone)
    if stillborn or squatter:  # what has been there for long is found
        troubles = [one for one in troubles if one.name != "not-found-yet"]
    if stillborn:
        troubles.append(Trouble(name="not-found-yet", begins=0.0, ends=600.0, times=chance.randint(1, 9), options={}))
    return Scenario(
        seed=seed,
        plans=plans,
        begins=tuple(chance.uniform(0, 600) * number for number, _ in enumerate(plans)),
        troubles=tuple(troubles),
        stillborn=stillborn,
        deeds=deeds,
        reapers=reapers,
        names=(*EKS, *GKE) if chance.random() < 0.06 else tuple(sorted({plan.cluster for plan in plans})),
        period=600.0,
        mortality=0.0 if calm else chance.choice((0.0, 0.0, 0.1, 0.3)),
        standstills=0.0 if calm else chance.choice((0.0, 0.0, 0.0, 0.1)),
        skew=chance.choice((0.0, 0.0, 60.0)),
        squatter=squatter,
        alone=alone,
    )


def _plan(chance: random.Random, seed: int, number: int) -> Plan:
    term = chance.choice((1200.0, 1800.0))
    return Plan(
        cluster=chance.choice((*EKS, *EKS, *EKS, *GKE, *GKE)),
        dag=f"dag{number}",
        run=f"run{seed}",
        nodes=chance.choice((1, 1, 2)),
        term=term,
        lifetime=term * chance.choice((1, 2, 4)),
        work=chance.choice((60.0, 600.0, 1800.0, 3600.0)) * chance.uniform(0.5, 1.0),
        work_fails=chance.random() < 0.25,
        deferrable=chance.random() < 0.7,
        poll=chance.choice((60.0, 90.0, 120.0)),
        retries=chance.choice((0, 1, 2)),
    )


def _people(chance: random.Random, brackets: int) -> list[Deed]:
    count = chance.choice((0, 0, 1, 1, 2))
    return [
        Deed(at=chance.uniform(1, 4000), what=chance.choice(list(DEEDS)), bracket=chance.randrange(brackets))
        for _ in range(count)
    ]


def _ends(chance: random.Random) -> list[Deed]:
    """Draw how parts of Airflow die."""
    ends = []
    if chance.random() < 0.3:
        back = chance.choice((None, None, chance.uniform(300, 7200)))
        ends.append(Deed(at=chance.uniform(1, 3000), what="Airflow", seconds=back))
    if chance.random() < 0.2:
        ends.append(Deed(at=chance.uniform(1, 3000), what="triggerer"))
    if chance.random() < 0.15:
        ends.append(Deed(at=chance.uniform(1, 3000), what="scheduler", seconds=chance.uniform(60, 1800)))
    return ends


def _troubles(chance: random.Random, operations: tuple[str, ...], *, undeleted: bool) -> list[Trouble]:
    found = [_trouble(chance, operations, undeleted=undeleted) for _ in range(chance.choice((0, 1, 1, 2, 3)))]
    return list({one.name: one for one in found}.values())


def _trouble(chance: random.Random, operations: tuple[str, ...], *, undeleted: bool) -> Trouble:
    begins, lasts = chance.choice((0.0, chance.uniform(0, 4000))), chance.uniform(60, 900)
    options: dict[str, str] = {"seed": str(chance.randrange(10**6))}
    times: int | None = chance.randint(1, 4)
    kind = chance.choice(("call", "call", "call", "once", "step", "other", "undeleted" if undeleted else "call"))
    if kind == "call":
        name = chance.choice(list(CALLS))
        options |= {"operation": chance.choice(operations), "probability": str(chance.choice((1, CALLS[name])))}
        options |= {"seconds": str(chance.uniform(1, 20))} if name == "slow" else {}
        times = None if chance.random() < 0.3 else chance.randint(1, 6)
    elif kind == "once":
        name = chance.choice(ONCE)
    elif kind == "step":
        name = chance.choice(STEPS)
        begins = 0.0 if name == "not-found-yet" else begins
        times = None if name in {"no-capacity", "no-quota"} else times
        lasts = 4000.0 if times is None else lasts
    elif kind == "undeleted":
        name, times, lasts = chance.choice(UNDELETED), chance.randint(1, 2), 8000.0
    else:
        name = chance.choice(OTHERS)
    return Trouble(name=name, begins=begins, ends=begins + lasts, times=times, options=options)
