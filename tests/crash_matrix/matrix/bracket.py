"""The tasks of one bracket as our provider's operators and sensors do them, with the core's own code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

from matrix.airflow import FailNowError, PutOff, Run, Task
from matrix.clusters import Registry
from matrix.process import Process
from multicluster.brackets.deletion import delete_pool
from multicluster.brackets.gone import GoneLookout
from multicluster.brackets.keeping import LeaseKeeper
from multicluster.brackets.place import Place, address
from multicluster.brackets.ready import ReadyLookout
from multicluster.brackets.request import request_pool
from multicluster.errors import MulticlusterError, NodePoolConflictError, NodePoolsUnsupportedError
from multicluster.node_pools import naming
from multicluster.node_pools.origin import Origin

REFUSALS = 10
SOON = 5.0
STARTS = 600.0
"""Seconds from the create call within which the work of a calm day has begun."""
DEPLOYMENT = "matrix"
Find = Callable[[str], Any]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a run's bracket is to be; seconds."""

    cluster: str
    dag: str
    run: str
    nodes: int = 1
    term: float
    lifetime: float
    work: float
    work_fails: bool = False
    deferrable: bool = True
    poll: float
    ready_timeout: float = 2700.0
    gone_timeout: float = 3600.0
    retries: int = 0

    @property
    def fails(self) -> bool:
        """Whether the work cannot end well."""
        return self.work_fails or self.work + STARTS > self.lifetime

    @property
    def origin(self) -> Origin:
        return Origin(deployment=DEPLOYMENT, dag_id=self.dag, run_id=self.run, group_id="train")

    @property
    def pool(self) -> str:
        return naming.pool_name(self.origin.owner, hint="train")


class Bracket:
    """Makes the five tasks of a run. *names* are the clusters in the registry."""

    TEARDOWN = "all_done"

    def __init__(
        self,
        plan: Plan,
        names: set[str],
        *,
        told: Callable[[str, str], None],
        occupy: Callable[[str, str, float], None],
    ) -> None:
        self.plan, self._names, self._told, self._occupy = plan, names, told, occupy
        self.run = Run(dag=plan.dag, id=plan.run, tasks={})
        for task in (
            Task(name="create", body=self._create, retries=plan.retries),
            Task(name="ready", body=self._ready, upstream=("create",), retries=plan.retries),
            Task(name="work", body=self._work, upstream=("ready",), retries=plan.retries, may_fail=plan.fails),
            Task(
                name="delete",
                body=self._delete,
                upstream=("create", "work"),
                rule=self.TEARDOWN,
                retries=plan.retries,
            ),
            Task(name="gone", body=self._gone, upstream=("delete",), rule=self.TEARDOWN, retries=plan.retries),
        ):
            self.run.tasks[task.name] = task

    # create_node_pool and delete_node_pool: ask until the cloud has taken it

    def _create(self, process: Process) -> Any:
        end = self._end(process)
        return self._ask(process, once=self._create_once, again=lambda error, _: error.transient, asked=0, end=end)

    def _create_once(self, process: Process) -> None:
        plan, memory = self.plan, self.run.memory
        cluster = self._find(process)(plan.cluster)
        place = Place(cluster=plan.cluster, pool=plan.pool, owner=plan.origin.owner, address=address(cluster))
        memory["place"] = replace(place, sure=False)
        try:
            request_pool(
                cluster,
                profile_name="l4",
                name=plan.pool,
                origin=plan.origin,
                size=plan.nodes,
                max_lifetime=timedelta(seconds=plan.lifetime),
                term=timedelta(seconds=plan.term),
                clock=process.clock,
            )
        except MulticlusterError as error:
            if not error.transient:
                memory["place"] = place
            raise
        memory["place"] = place

    def _delete(self, process: Process) -> Any:
        def again(error: MulticlusterError, asked: int) -> bool:
            hopeless = isinstance(error, (NodePoolConflictError, NodePoolsUnsupportedError))
            return error.transient or (asked < REFUSALS and not hopeless)

        return self._ask(process, once=self._delete_once, again=again, asked=0, end=self._end(process))

    def _delete_once(self, process: Process) -> None:
        place = self.place
        taken = delete_pool(self._find(process)(place.cluster), place)
        self._told(process.name, f"{place.pool} {'is being deleted' if taken else 'is not there'}")

    def _end(self, process: Process) -> float:
        return process.time.seconds + 3600

    def _ask(self, process: Process, *, once: Any, again: Any, asked: int, end: float) -> Any:
        while True:
            try:
                return once(process)
            except MulticlusterError as error:
                asked += 1
                if not again(error, asked) or process.time.seconds + self.plan.poll > end:
                    raise
            if self.plan.deferrable:
                resume = partial(self._resume, once=once, again=again, asked=asked, end=end)
                raise PutOff(lambda process: process.sleep(self.plan.poll), resume)
            process.sleep(self.plan.poll)

    def _resume(self, process: Process, _found: Any, **asking: Any) -> Any:
        return self._ask(process, **asking)

    # node_pool_ready and node_pool_gone: look until there is something to say

    def _ready(self, process: Process) -> Any:
        self._find(process)(self.plan.cluster).profile("l4")

        def lookout(process: Process) -> ReadyLookout:
            return ReadyLookout(
                self.place,
                profile="l4",
                nodes=self.plan.nodes,
                find=self._find(process),
                keeper=self._keeper(process),
                clock=process.clock,
            )

        return self._look(process, lookout, self.plan.ready_timeout)

    def _gone(self, process: Process) -> Any:
        def lookout(process: Process) -> GoneLookout:
            return GoneLookout(
                self.place, asks=3, find=self._find(process), keeper=self._keeper(process), clock=process.clock
            )

        return self._look(process, lookout, self.plan.gone_timeout)

    def _look(self, process: Process, lookout: Callable[[Process], Any], timeout: float) -> Any:
        end = process.time.seconds + timeout

        def wait(process: Process) -> Any:
            look, said = lookout(process).look, ""
            while True:
                finding = look()
                if finding.text != said:
                    said = finding.text
                    self._told(process.name, said)
                if finding.settled:
                    return finding
                if process.time.seconds >= end:
                    raise TimeoutError(finding.text)
                process.sleep(min(self.plan.poll, SOON) if finding.soon else self.plan.poll)

        def settle(_process: Process, finding: Any) -> None:
            if finding.status == "failed":
                raise FailNowError(finding.text)

        if self.plan.deferrable:
            raise PutOff(wait, settle)
        return settle(process, wait(process))

    # the work

    def _work(self, process: Process) -> Any:
        end = process.time.seconds + self.plan.work
        self._occupy(self.plan.cluster, self.plan.pool, self.plan.work)

        def wait(process: Process) -> None:
            keeper, find = self._keeper(process), self._find(process)
            while process.time.seconds < end:
                kept = keeper.look(self.place, find)
                if kept.lost:
                    raise FailNowError(kept.text)
                process.sleep(min(60.0, end - process.time.seconds))

        def settle(_process: Process, _found: Any) -> None:
            if self.plan.work_fails:
                raise FailNowError("the pod failed")

        if self.plan.deferrable:
            raise PutOff(wait, settle)
        return settle(process, wait(process))

    @property
    def place(self) -> Place:
        """Where the create wrote that it asked; else what follows from the run."""
        known: Place | None = self.run.memory.get("place")
        return known or Place(cluster=self.plan.cluster, pool=self.plan.pool, owner=self.plan.origin.owner)

    def _find(self, process: Process) -> Find:
        return Registry(self._names, process.clock).find

    def _keeper(self, process: Process) -> LeaseKeeper:
        return LeaseKeeper(clock=process.clock)
