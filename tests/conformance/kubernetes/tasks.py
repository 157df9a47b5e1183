"""Airflow tasks that run pods, without an Airflow around them: the stock operator and ours."""

from __future__ import annotations

import asyncio
import importlib
import json
import re
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.providers.common.compat.sdk import TaskDeferred

from airflow_multicluster import ClusterPodOperator

from .pods import IMAGE

CLUSTER = "ground"
XCOM = "mkdir -p /airflow/xcom; echo '{\"a\": [1, 2]}' > /airflow/xcom/return.json"
FAST = {"startup_check_interval_seconds": 0.2, "base_container_status_polling_interval": 0.2, "poll_interval": 0.2}


def registry(kubeconfig: Path, folder: Path) -> Path:
    """Write a registry that names the ground."""
    context = json.loads(kubeconfig.read_text())["current-context"]
    cluster = {"name": CLUSTER, "auth": {"kubeconfig": {"path": str(kubeconfig), "context": context}}}
    file = folder / "registry.yaml"
    document = {"apiVersion": "multicluster/v1alpha1", "kind": "ClusterRegistry", "clusters": [cluster]}
    file.write_text(json.dumps(document))
    return file


class Tasks:
    """Makes and runs tasks in one namespace of a ground: of the stock operator, or of ours."""

    def __init__(self, kind: str, kubeconfig: Path, namespace: str) -> None:
        self.kind = kind
        self._kubeconfig = kubeconfig
        self._namespace = namespace

    def make(self, script: str, **options: Any) -> KubernetesPodOperator:
        """Make a task whose pod runs a shell script."""
        ours: dict[str, Any] = {"cluster": CLUSTER, "infrastructure_retries": 0}  # as many as the stock operator has
        place = ours if self.kind == "ours" else {"config_file": str(self._kubeconfig)}
        values = {
            "task_id": "t",
            "name": "p",
            "namespace": self._namespace,
            "image": IMAGE,
            "image_pull_policy": "IfNotPresent",
            "cmds": ["sh", "-c"],
            "arguments": [script],
            "random_name_suffix": False,
            "termination_grace_period": 1,
            **FAST,
            **place,
            **options,
        }
        return (ClusterPodOperator if self.kind == "ours" else KubernetesPodOperator)(**values)

    def run(self, script: str, **options: Any) -> Any:
        """Make a task and execute it."""
        return self.make(script, **options).execute(context(options.get("task_id", "t")))

    def deferred(self, script: str, meanwhile: Callable[[], Any] | None = None, **options: Any) -> Any:
        """Make a deferrable task, run its triggers in an event loop, and resume it until it ends."""
        task = self.make(script, deferrable=True, **options)
        given = context(options.get("task_id", "t"))
        call: Callable[[], Any] = lambda: task.execute(given)  # noqa: E731 - it is replaced by what comes next
        while True:
            try:
                return call()
            except TaskDeferred as pause:
                if meanwhile is not None:
                    meanwhile()
                    meanwhile = None
                event = asyncio.run(_first_event(pause.trigger))
                task = self.make(script, deferrable=True, **options)  # another process resumes it
                call = _resumed(task, pause, given, event)


async def _first_event(trigger: Any) -> Any:
    """Run a trigger as the triggerer does: made anew from what was kept in the database."""
    path, kwargs = trigger.serialize()
    module, _, name = path.rpartition(".")
    made = getattr(importlib.import_module(module), name)(**json.loads(json.dumps(kwargs, default=str)))
    made.trigger_start_time = trigger.trigger_start_time
    event = await asyncio.wait_for(anext(aiter(made.run())), 180)  # a pod is lost with its node after a minute or two
    await made.cleanup()
    return event.payload


def _resumed(task: Any, pause: TaskDeferred, given: Mapping[str, Any], event: Any) -> Callable[[], Any]:
    return lambda: getattr(task, pause.method_name)(given, event=event, **(pause.kwargs or {}))


class Background(threading.Thread):
    """A task executed beside the test; `error` is what it raised."""

    def __init__(self, task: KubernetesPodOperator) -> None:
        super().__init__(daemon=True)
        self.task, self.error, self.result = task, None, None
        self.start()

    def run(self) -> None:
        """Execute the task."""
        try:
            self.result = self.task.execute(context())
        except BaseException as error:  # noqa: BLE001 - looked at by the test
            self.error = error

    def ended(self, timeout: float = 60) -> BaseException | None:
        """Wait for its end and return what it raised."""
        self.join(timeout)
        assert not self.is_alive(), "the task does not end"
        return self.error


def context(task_id: str = "t") -> dict[str, Any]:
    """What a task is given when it is executed."""
    ti = SimpleNamespace(
        dag_id="d",
        task_id=task_id,
        run_id="r",
        map_index=-1,
        try_number=1,
        start_date=None,
        xcom_push=lambda **_: None,
    )
    return {"ti": ti, "task_instance": ti, "run_id": "r", "dag": SimpleNamespace(dag_id="d")}


def told(error: BaseException) -> list[str]:
    """Return an error and those it came from: each one's class and first line, without numbers of nodes."""
    lines = []
    seen: BaseException | None = error
    while seen is not None:
        text = (str(seen).splitlines() or [""])[0]
        lines.append(f"{type(seen).__name__}: {re.sub(r'[0-9]+/[0-9]+', 'N', text)}"[:200])
        seen = seen.__cause__ or seen.__context__
    return lines
