"""Write on a pod which task it belongs to, in full: labels hold 63 characters, and not all of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from airflow.providers.cncf.kubernetes.utils.pod_manager import OnFinishAction, OnKillAction

if TYPE_CHECKING:
    from airflow.sdk import Context
    from kubernetes.client import models as k8s

    from airflow_multicluster.operators.pod import ClusterPodOperator

TASK = "airflow-multicluster/task"
KEEPING = {OnFinishAction.KEEP_POD, OnFinishAction.DELETE_SUCCEEDED_POD}


@dataclass(frozen=True, kw_only=True)
class PodTask:
    """The try that a pod was made for."""

    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    try_number: int
    kept: bool = False
    """Whether the task wants its pod to be kept in some ending; then nobody sweeps it."""

    @classmethod
    def of(cls, annotations: Mapping[str, str]) -> PodTask | None:
        """Read it back; None where there is none, or none that can be read."""
        try:
            facts = json.loads(annotations[TASK])
            names = {name: str(facts[name]) for name in ("dag_id", "run_id", "task_id")}
            numbers = {name: int(facts[name]) for name in ("map_index", "try_number")}
            return cls(**names, **numbers, kept=bool(facts.get("kept", True)))  # type: ignore[arg-type]
        except (KeyError, ValueError, TypeError, OverflowError):
            return None


def sign(pod: k8s.V1Pod, operator: ClusterPodOperator, context: Context | None) -> None:
    """Write the task on *pod*; a pod that is only looked at (no *context*) gets none."""
    if context is None:
        return
    ti: Any = context["ti"]
    task = PodTask(
        dag_id=ti.dag_id,
        run_id=str(context["run_id"]),
        task_id=ti.task_id,
        map_index=-1 if ti.map_index is None else ti.map_index,
        try_number=ti.try_number,
        kept=operator.on_kill_action == OnKillAction.KEEP_POD or operator.on_finish_action in KEEPING,
    )
    pod.metadata.annotations = {**(pod.metadata.annotations or {}), TASK: json.dumps(asdict(task))}
