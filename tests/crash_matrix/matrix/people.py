"""What people do in the middle of it: in Airflow's UI, in the cloud's console, in the registry."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING

from matrix.airflow import Airflow
from matrix.bracket import Bracket
from matrix.tags import ours, tags_of
from matrix.world import World
from multicluster.node_pools.lease import KEEP
from multicluster.simulator.fleet import NodeGroup, State

if TYPE_CHECKING:
    from matrix.laws import Laws


class People:
    """Each deed is done to one bracket, at once. *names* are the clusters in the registry."""

    def __init__(
        self,
        world: World,
        airflow: Airflow,
        laws: Laws,
        *,
        names: set[str],
        chance: random.Random,
        told: Callable[[str, str], None],
    ) -> None:
        self.world, self.airflow, self.laws, self.names, self.chance = world, airflow, laws, names, chance
        self._told = told

    def do(self, deed: str, bracket: Bracket) -> None:
        """Do one of DEEDS."""
        self._told("a person", f"{deed} ({bracket.run.name})")
        DEEDS[deed](self, bracket)

    def clear_run(self, bracket: Bracket) -> None:
        self._clear(bracket, list(bracket.run.tasks))

    def clear_from_a_task(self, bracket: Bracket) -> None:
        names = list(bracket.run.tasks)
        self._clear(bracket, names[self.chance.randrange(len(names)) :])

    def _clear(self, bracket: Bracket, names: list[str]) -> None:
        run = bracket.run
        if self.airflow.up and self.airflow.runs.get((run.dag, run.id)) is run:
            self.airflow.clear(run, names)

    def mark_failed(self, bracket: Bracket) -> None:
        self._end(bracket, "failed", "marked failed")

    def mark_success(self, bracket: Bracket) -> None:
        self._end(bracket, "success", "marked success")

    def run_times_out(self, bracket: Bracket) -> None:
        self._end(bracket, "failed", "dagrun_timeout")

    def _end(self, bracket: Bracket, state: str, why: str) -> None:
        if self.airflow.up and bracket.run.state == "running":
            self.airflow.end(bracket.run, state, why)

    def delete_dag(self, bracket: Bracket) -> None:
        if self.airflow.up:
            self._end(bracket, "failed", "the DAG was deleted")
            self.airflow.runs.pop((bracket.run.dag, bracket.run.id), None)

    def untag(self, bracket: Bracket) -> None:
        for group in self._groups(bracket):
            tags = tags_of(group)
            for name in [name for name in tags if name.startswith("multicluster-")]:
                del tags[name]
            self.laws.left_alone(group, "a person took the tags off it")

    def keep(self, bracket: Bracket) -> None:
        for group in self._groups(bracket):
            tags_of(group)[KEEP] = "true"
            self.laws.left_alone(group, "a person keeps it")

    def edit_group(self, bracket: Bracket) -> None:
        for group in self._groups(bracket):
            if group.state == State.ACTIVE:
                self.world.do(lambda group=group: self.world.groups.resize(group, self.chance.randrange(2)))

    def delete_pool(self, bracket: Bracket) -> None:
        for group in self._groups(bracket):
            if group.state not in {State.CREATING, State.UPDATING, State.DELETING}:
                self.world.do(lambda group=group: self.world.groups.delete(group))

    def remove_cluster(self, bracket: Bracket) -> None:
        self.names.discard(bracket.plan.cluster)

    def _groups(self, bracket: Bracket) -> list[NodeGroup]:
        """Return the bracket's pools that are ours."""
        return [pool.group for pool in self.laws.pools if pool.bracket is bracket and ours(pool.group)]


DEEDS: dict[str, Callable[[People, Bracket], None]] = {
    "clear the run": People.clear_run,
    "clear from a task on": People.clear_from_a_task,
    "mark the run failed": People.mark_failed,
    "mark the run success": People.mark_success,
    "let the run time out": People.run_times_out,
    "delete the DAG": People.delete_dag,
    "untag the pool": People.untag,
    "keep the pool": People.keep,
    "edit the group": People.edit_group,
    "delete the pool": People.delete_pool,
    "remove the cluster from the registry": People.remove_cluster,
}
