"""Launch deferrable pods one after the other: KIND is ``stock``, ``eks`` or ``ours``.

Reads commands, one JSON a line: ``prepare`` with a number of pods, the clusters' names and a kubeconfig; ``warm``
launches one pod on each cluster, ``launch`` all from this process, ``launch_apart`` each from a fork of it. Both answer
with milliseconds of wall and of CPU per pod from the start of ``execute`` to its deferral: the mean of the first way,
the median of the second.
"""

from __future__ import annotations

import copy
import json
import logging
import os
import statistics
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from airflow.sdk.bases.operator import ExecutorSafeguard
from airflow.sdk.exceptions import TaskDeferred

logging.disable(logging.ERROR)
POD = {"image": "acme/train:1", "namespace": "default", "deferrable": True, "schedulername": "nobody"}


def operator(kind: str, number: int, cluster: str, config: Path) -> Any:
    """Return the task of one pod."""
    options: dict[str, Any] = {"task_id": f"fit-{number}", **POD}
    if kind == "ours":
        from airflow_multicluster import ClusterPodOperator

        return ClusterPodOperator(cluster=cluster, **options)
    if kind == "eks":
        from airflow.providers.amazon.aws.operators.eks import EksPodOperator

        return EksPodOperator(cluster_name=cluster, region="us-east-1", pod_name=f"fit-{number}", **options)
    from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator

    return KubernetesPodOperator(config_file=str(config / cluster), in_cluster=False, **options)


def context(number: int) -> dict[str, Any]:
    """Return the context of a task instance."""
    ti = SimpleNamespace(
        dag_id="launch", task_id=f"fit-{number}", run_id="r", map_index=-1, try_number=1,
        start_date=datetime.now(UTC), xcom_push=lambda **_: None,
    )  # fmt: skip
    return {"ti": ti, "task_instance": ti, "run_id": "r", "dag": SimpleNamespace(dag_id="launch")}


@contextmanager
def measured(sample: dict[str, float], pods: int) -> Iterator[None]:
    """Measure the block, for each of so many pods."""
    began, used = time.monotonic(), time.process_time()
    yield
    sample |= {"wall": 1000 * (time.monotonic() - began) / pods, "cpu": 1000 * (time.process_time() - used) / pods}


class Launcher:
    """The tasks of some pods, and what they found in a process before them."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def prepare(self, pods: int, clusters: list[str], kubeconfig: dict[str, Any]) -> int:
        """Make the tasks, the clusters in turn."""
        folder = Path.cwd() if self.kind != "stock" else _configs(clusters, kubeconfig)
        places = [clusters[number % len(clusters)] for number in range(-len(clusters), pods)]
        made = [operator(self.kind, number, place, folder) for number, place in enumerate(places)]
        self.first, self.tasks = made[: len(clusters)], made[len(clusters) :]
        return len(self.tasks)

    def warm(self) -> None:
        """Launch one pod on each cluster; of EKS pods one in all, each costs as much as the first."""
        for one in self.first[: 1 if self.kind == "eks" else None]:
            _execute(one, context(-1))

    def launch(self) -> dict[str, float]:
        """Launch them from here."""
        sample: dict[str, float] = {}
        with measured(sample, len(self.tasks)):
            for number, one in enumerate(self.tasks):
                _execute(one, context(number))
        return sample

    def launch_apart(self) -> dict[str, float]:
        """Launch each from a process that knows what the parent of a LocalExecutor's task knows, and no more."""
        import airflow.sdk.execution_time.supervisor  # noqa: F401
        from airflow.models import import_all_models
        from sqlalchemy.orm import configure_mappers

        import_all_models()
        configure_mappers()
        samples = [_forked(one, number) for number, one in enumerate(self.tasks)]
        return {key: statistics.median(sample[key] for sample in samples) for key in samples[0]}


def _forked(one: Any, number: int) -> dict[str, float]:
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            sample: dict[str, float] = {}
            with measured(sample, 1):
                _execute(one, context(number))
            os.write(writing, json.dumps(sample).encode())
        except Exception:  # noqa: BLE001 - the process ends here; its parent says that it failed
            traceback.print_exc()
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        sample = json.loads(answer.read() or "null")
    os.waitpid(child, 0)
    if sample is None:
        raise RuntimeError("a launch failed in its own process")
    return sample


def _configs(clusters: list[str], kubeconfig: dict[str, Any]) -> Path:
    folder = Path.home() / "kubeconfigs"
    folder.mkdir()
    for cluster in clusters:
        config = copy.deepcopy(kubeconfig)
        config["contexts"] = [one for one in config["contexts"] if one["context"]["cluster"] == cluster]
        for kind in ("cluster", "user"):
            wanted = config["contexts"][0]["context"][kind]
            config[f"{kind}s"] = [one for one in config[f"{kind}s"] if one["name"] == wanted]
        config["current-context"] = config["contexts"][0]["name"]
        (folder / cluster).write_text(json.dumps(config))
    return folder


def _execute(one: Any, of: dict[str, Any]) -> None:
    guard = {f"{type(one).__name__}__sentinel": ExecutorSafeguard.sentinel_value}
    try:
        one.execute(of, **guard)
    except TaskDeferred:
        return
    raise RuntimeError("the task was not deferred")


launcher = Launcher(sys.argv[1])
for line in sys.stdin:
    command, *arguments = json.loads(line)
    print(json.dumps(getattr(launcher, command)(*arguments)), flush=True)
