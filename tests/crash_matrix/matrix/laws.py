"""What must hold at every step, whatever dies. Judged by the clouds' own state, never by what our code says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from matrix.airflow import FINAL, Airflow, Run, Task
from matrix.bracket import Bracket
from matrix.clusters import REGION
from matrix.process import Process
from matrix.scenario import Scenario
from matrix.tags import tags_of
from matrix.world import World
from multicluster.node_pools.lease import EXPIRES, GRACE, LATE, Lease
from multicluster.reaper.plan import Act
from multicluster.simulator.fleet import NodeGroup, State

RACE = 400.0
"""Seconds in which somebody may act on what he has read: two calls, and a standstill between them."""

CLOCKS = timedelta(minutes=3)
"""What the clocks of two machines may differ by, with what passes between their calls."""


@dataclass(kw_only=True, eq=False)
class Pool:
    """A node group that our code made, and what is known of it."""

    group: NodeGroup
    bracket: Bracket
    born: float
    expires: float
    """The latest end that its lease ever had."""
    hands_off: str = ""
    """Why it is no longer ours to touch: a person untagged or keeps it."""
    since: float = 0.0
    overstay: float = 0.0
    changes: tuple[float, float] = (0.0, 0.0)
    """The lease's end before its last renewal, and when that was."""


class Laws:
    """Watches the clouds. ``bound`` is how long a pool may outlive lease and work, in seconds."""

    def __init__(self, world: World, airflow: Airflow, scenario: Scenario, *, told: Callable[[str, str], None]) -> None:
        self.world, self.airflow, self._told = world, airflow, told
        self.bound, self.alone, self.calm = scenario.bound, scenario.alone, scenario.calm
        self.without_reaper = scenario.without_reaper
        self.names: set[str] = set()
        """The clusters in the registry."""
        self.pools: list[Pool] = []
        self.made = 0
        self.longest = 0.0
        """Seconds, of pools that have machines or may get some."""
        self.deleted_by: Counter[str] = Counter()
        self.violations: list[str] = []
        self.owner_of: dict[Process, Any] = {}
        """The bracket, or the word "reaper", that each process works for."""
        groups = world.groups
        self._create, self._delete = groups.create, groups.delete
        groups.create, groups.delete = self._created, self._deleted
        airflow.on_end, airflow.on_success = self._run_ended, self._succeeded

    def broken(self, law: str) -> None:
        """Write a violation down, once."""
        if law not in self.violations:
            self.violations.append(law)
            self._told("LAW", law)

    def check(self) -> None:
        """Look at every pool of ours that is there."""
        now = self.world.time.seconds
        for pool in list(self.pools):
            group = pool.group
            if self.world.groups.get(group.key, group.name) is not group:
                self.pools.remove(pool)
                continue
            expires = float(tags_of(group).get(EXPIRES, 0))
            if expires > pool.expires:
                self._renewed(pool, expires, now)
            if pool.hands_off:
                continue
            self._stays_armed(pool)
            self._outlives(pool, now)

    def _outlives(self, pool: Pool, now: float) -> None:
        group, run = pool.group, pool.bracket.run
        costs = bool(group.instances) or "eks" in group.settings
        if (run.state == "running" and not self.airflow.gone) or (self.alone and not costs):
            return
        wanted, bound = max(pool.expires, pool.born, min(run.ended_at or 0.0, now)), self.bound
        if "gke" in group.settings:  # no switch deletes it; its machines have a longest run
            bound += self.without_reaper
            ends = [one.launched.timestamp() + pool.bracket.plan.lifetime for one in group.instances]
            wanted = max([wanted, *ends]) if self.alone else wanted
        pool.overstay = max(pool.overstay, now - wanted)
        self.longest = max(self.longest, pool.overstay if costs else 0.0)
        if pool.overstay > bound:
            self.broken(f"pool {group.target} ({group.state}) outlives lease and work by more than {bound:.0f} s")

    def _renewed(self, pool: Pool, expires: float, now: float) -> None:
        over = now - pool.expires
        if over > (LATE + CLOCKS).total_seconds():
            self.broken(f"the lease of pool {pool.group.target} is renewed, which was over for {over:.0f} s")
        pool.changes, pool.expires = (pool.expires, now), expires

    def _stays_armed(self, pool: Pool) -> None:
        """See that the dead-man switch of a node group is there, unless it has fired."""
        group = pool.group
        fired = any(one.name == group.name for one in self.world.aws.schedules.fired)
        if group.key.startswith("eks:") and not fired and self._schedule(group) is None:
            self.broken(f"pool {group.target} ({group.state}) is there, and its dead-man switch is not")

    def _schedule(self, group: NodeGroup) -> Any:
        account = self.world.aws.key.principal.account
        return self.world.aws.schedules.all.get((account, REGION, "default", group.name))

    def unfinished(self) -> bool:
        """Whether a pool is there that is yet to go."""
        return any(not self._may_stay(pool) for pool in self.pools)

    def _may_stay(self, pool: Pool) -> bool:
        empty = not pool.group.instances and pool.group.state not in {State.CREATING, State.UPDATING}
        return bool(pool.hands_off) or (self.alone and "gke" in pool.group.settings and empty)

    def reported(self, report: Any, began: float) -> None:
        """Look whether a round of the reaper overlooked anything."""
        told = {step.name for step in report.plan.steps if step.act is not Act.LEAVE}
        troubled = {trouble.cluster for trouble in report.troubles}
        for pool in self.pools:
            cluster, _, name = pool.group.target.partition("/")
            run, state = pool.bracket.run, pool.group.state
            over = began - pool.expires - GRACE.total_seconds() - CLOCKS.total_seconds()
            if over < 0 or began < pool.born or pool.hands_off or state == State.DELETING or not self._ended(run):
                continue
            if cluster in self.names and name not in told and cluster not in troubled:
                self.broken(f"the reaper overlooks {pool.group.target}, which is over for {over:.0f} s")

    def left_alone(self, group: NodeGroup, why: str) -> None:
        """Know that a person took a pool away from us."""
        for pool in self.pools:
            if pool.group is group:
                pool.hands_off, pool.since = why, self.world.time.seconds

    def at_the_end(self) -> None:
        """Look at what is left when nothing happens any more."""
        for run in () if self.airflow.gone else self.airflow.runs.values():
            for task in run.tasks.values():
                if task.state not in FINAL:
                    self.broken(f"task {run.name}.{task.name} never ends: it is {task.state or 'not begun'}")
                elif self.calm and task.state != "success" and not task.may_fail:
                    self.broken(f"task {run.name}.{task.name} is {task.state}, and nothing was wrong")
        for pool in self.pools:
            if not self._may_stay(pool):
                self.broken(f"pool {pool.group.target} ({pool.group.state}) is left in the end")
        for error in (*self.world.time.loop.errors, *self.airflow.unexpected):
            self.broken(f"an error that nobody expected: {error}")

    def _created(self, group: NodeGroup) -> None:
        asker = self.world.serving
        if asker is None:
            self._create(group)
            return
        bracket, now = self.owner_of[asker], self.world.time.seconds
        self.made += 1
        lease = Lease.from_labels(tags_of(group))
        if lease is None or lease.owner != bracket.plan.origin.owner:
            self.broken(f"pool {group.target} is made without a lease of its owner")
        for pool in self.pools:
            if pool.bracket is bracket and not pool.hands_off:
                self.broken(f"one owner has two pools: {pool.group.target} and {group.target}")
        self._armed(group, lease)
        expires = lease.expires_at.timestamp() if lease else now
        self.pools.append(Pool(group=group, bracket=bracket, born=now, expires=expires))
        self._create(group)

    def _armed(self, group: NodeGroup, lease: Lease | None) -> None:
        if not group.key.startswith("eks:"):
            return
        schedule = self._schedule(group)
        if schedule is None:
            self.broken(f"pool {group.target} is made before its dead-man switch is armed")
        elif lease and schedule.due > lease.expires_at + GRACE + CLOCKS:
            self.broken(f"the dead-man switch of pool {group.target} is armed later than its lease and grace")

    def _deleted(self, group: NodeGroup) -> None:
        asker = self.world.serving
        if asker is None:
            self.deleted_by["people"] += 1
        else:
            who = asker.name if isinstance(asker, Process) else str(asker)
            pool = next((one for one in self.pools if one.group is group), None)
            wrong = self._wrong(asker, group, pool)
            whose = self.owner_of.get(asker) if isinstance(asker, Process) else None
            self.deleted_by["their brackets" if isinstance(whose, Bracket) else f"the {whose}" if whose else who] += 1
            self._told(who, f"DELETES {group.target}")
            if wrong:
                self.broken(f"{who} deletes {group.target}: {wrong}")
        self._delete(group)

    def _wrong(self, asker: Any, group: NodeGroup, pool: Pool | None) -> str:
        """Say why the deletion should not have been; empty where it should."""
        now = self.world.time.seconds
        if pool is None:
            return "it is not ours"
        if pool.hands_off:
            return pool.hands_off if now - pool.since > RACE else ""
        whose = self.owner_of.get(asker) if isinstance(asker, Process) else None
        if whose is pool.bracket:
            return ""
        if isinstance(whose, Bracket):
            return "it is another bracket's"
        before, changed = pool.changes
        expires = before if whose and now - changed < RACE else float(tags_of(group).get(EXPIRES, 0))
        over = now - expires - GRACE.total_seconds() + (asker.skew if isinstance(asker, Process) else 0.0)
        run = pool.bracket.run
        dead = whose == "reaper" and self._ended(run) and now - pool.born > GRACE.total_seconds() - RACE
        if over >= -CLOCKS.total_seconds() or dead or (whose == "reaper" and group.state == State.DELETE_FAILED):
            return ""
        return f"its lease is live for {-over:.0f} s more, grace included"

    def _ended(self, run: Run) -> bool:
        return run.state != "running" or self.airflow.runs.get((run.dag, run.id)) is not run

    def _succeeded(self, run: Run, task: Task) -> None:
        if task.name == "gone":
            for pool in self._of(run):
                self.broken(f"{run.name}.gone is green, and pool {pool.group.target} is {pool.group.state}")

    def _run_ended(self, run: Run) -> None:
        if run.disturbed:
            return
        for pool in self._of(run):
            if run.tasks["gone"].state != "failed" and run.tasks["delete"].state != "failed":
                self.broken(f"run {run.name} ended, its pool {pool.group.target} is {pool.group.state}, nobody says so")

    def _of(self, run: Run) -> list[Pool]:
        there = [pool for pool in self.pools if pool.bracket.run is run and not pool.hands_off]
        return [pool for pool in there if self.world.groups.get(pool.group.key, pool.group.name) is pool.group]
