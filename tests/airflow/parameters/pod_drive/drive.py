"""Worker and triggerer for one task, without a database."""

from __future__ import annotations

import asyncio
import copy
import itertools
import json
import pkgutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from airflow.sdk import BaseOperator
from airflow.sdk.bases.operator import ExecutorSafeguard
from airflow.sdk.exceptions import TaskDeferred
from airflow.sdk.serde import deserialize, serialize

from multicluster.simulator.kubernetes.resources import PODS
from pod_drive.log import hearing

QUICK = {
    "startup_check_interval_seconds": 0.05,
    "base_container_status_polling_interval": 0.05,
    "poll_interval": 0.05,
    "on_finish_action": "keep_pod",
}
"""The world has no delays; and a pod that is kept can be looked at."""
COUNT = itertools.count()


@dataclass(kw_only=True)
class Ran:
    """What became of a task."""

    result: Any = None
    error: Exception | None = None
    log: list[str] = field(default_factory=list)
    xcoms: dict[str, Any] = field(default_factory=dict)
    deferrals: list[dict[str, Any]] = field(default_factory=list)
    """The arguments of each trigger."""
    pods: list[dict[str, Any]] = field(default_factory=list)
    """The pods of the task that are there when it is over."""

    @property
    def pod(self) -> dict[str, Any]:
        """The one pod."""
        (pod,) = self.pods
        return pod

    @property
    def container(self) -> dict[str, Any]:
        """Its base container."""
        return self.pod["spec"]["containers"][0]

    @property
    def text(self) -> str:
        """The whole log."""
        return "\n".join(self.log)


class Store(dict):
    """Stands for Airflow's task_state_store, which has get and set."""

    def set(self, key: str, value: Any) -> None:
        self[key] = value


class Drive:
    """Runs operators against one cluster of a world."""

    def __init__(self, world: Any, cluster: str) -> None:
        self.world = world
        self.cluster = cluster
        self.kubernetes = world.entrances[cluster].kubernetes

    @classmethod
    @contextmanager
    def swept(cls, world: Any, cluster: str) -> Iterator[Drive]:
        """Lend a drive; afterwards the world is without faults, and no pod is left behind."""
        drive = cls(world, cluster)
        yield drive
        world.faults.clear()
        drive.sweep()

    def context(self, **facts: Any) -> dict[str, Any]:
        """Return the context of a new task instance."""
        ti = SimpleNamespace(
            **{
                "dag_id": "parameters",
                "task_id": "fit",
                "run_id": f"run-{next(COUNT)}",
                "map_index": -1,
                "try_number": 1,
                "start_date": datetime.now(UTC),
                **facts,
            }
        )
        ti.pushed = {}
        ti.xcom_push = lambda key, value: ti.pushed.update({key: value})
        dag = SimpleNamespace(dag_id=ti.dag_id)
        return {"ti": ti, "task_instance": ti, "run_id": ti.run_id, "dag": dag, "task_state_store": Store()}

    def run(self, operator: BaseOperator, *, context: dict[str, Any] | None = None, attempts: int = 5) -> Ran:
        """Run a task to its end; every deferral goes to a trigger, and the rest to a fresh copy of the operator."""
        context = context or self.context()
        ran = Ran(xcoms=context["ti"].pushed)
        with hearing(ran.log):
            try:
                ran.result = self._steps(operator, context, ran, attempts)
            except Exception as error:  # noqa: BLE001 - it is what the test wants to see
                ran.error = error
        ran.pods = self.pods(context)
        return ran

    def _steps(self, operator: BaseOperator, context: dict[str, Any], ran: Ran, attempts: int) -> Any:
        written = copy.deepcopy(operator)
        try:
            return execute(operator, context)
        except TaskDeferred as deferred:
            waiting = deferred
        for _ in range(attempts):
            event = asyncio.run(self.event(waiting, ran))
            try:
                return copy.deepcopy(written).resume_execution(
                    waiting.method_name, {**(waiting.kwargs or {}), "event": event}, context
                )
            except TaskDeferred as deferred:
                waiting = deferred
        raise AssertionError("the task is deferred again and again")

    async def event(self, waiting: TaskDeferred, ran: Ran) -> Any:
        """Send the trigger through the database, and return its event."""
        path, arguments = waiting.trigger.serialize()
        ran.deferrals.append(arguments)
        travelled = deserialize(json.loads(json.dumps(serialize(arguments))))
        trigger = pkgutil.resolve_name(path)(**travelled)
        (event,) = [event async for event in trigger.run()]
        return event.payload

    def pods(self, context: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the pods of a task instance that are there now."""
        of_run = self.kubernetes.objects("pods")
        return [pod for pod in of_run if pod["metadata"].get("labels", {}).get("run_id") == context["run_id"]]

    def sweep(self) -> None:
        """Delete all pods and jobs, so that no test sees another's."""
        for plural in ("jobs", "pods"):
            for found in self.kubernetes.objects(plural):
                self.kubernetes.delete(plural, found["metadata"]["name"], found["metadata"]["namespace"])

    def change(self, pod: dict[str, Any], **status: Any) -> None:
        """Write a pod's status, as a kubelet would."""
        place = (pod["metadata"]["namespace"], pod["metadata"]["name"])
        self.kubernetes._run(
            lambda: self.kubernetes._store.change(PODS, *place, lambda known: known["status"].update(status))
        )


def execute(operator: BaseOperator, context: dict[str, Any]) -> Any:
    """Call execute() as Airflow's task runner does."""
    guard = {f"{type(operator).__name__}__sentinel": ExecutorSafeguard.sentinel_value}
    return operator.execute(context, **guard)
