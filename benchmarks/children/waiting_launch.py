"""Launch deferrable pods one after the other: KIND is ``stock``, ``eks`` or ``ours``.

Reads commands, one JSON a line: ``launch`` with a number of pods, the clusters' names and a kubeconfig. Answers with
the milliseconds per pod from the start of ``execute`` to its deferral; one pod on each cluster before does not count.
"""

from __future__ import annotations

import copy
import json
import logging
import sys
import time
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


def launch(kind: str, pods: int, clusters: list[str], kubeconfig: dict[str, Any]) -> float:
    """Launch them, the clusters in turn."""
    folder = Path.cwd() if kind != "stock" else _configs(clusters, kubeconfig)
    made = [operator(kind, number, clusters[number % len(clusters)], folder) for number in range(-len(clusters), pods)]
    warm = len(clusters) if kind != "eks" else 1  # of one EKS pod after the other, each costs as much as the first
    for one in made[:warm]:
        _execute(one, context(-1))
    began = time.monotonic()
    for number, one in enumerate(made[-pods:]):
        _execute(one, context(number))
    return 1000 * (time.monotonic() - began) / pods


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


for line in sys.stdin:
    command, *arguments = json.loads(line)
    print(json.dumps({"launch": launch}[command](sys.argv[1], *arguments)), flush=True)
