"""Let no pod or job outlive a task that was killed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.providers.cncf.kubernetes.utils.pod_manager import OnKillAction
from airflow.providers.common.compat.sdk import AirflowException, conf

from airflow_multicluster.patience import NO_ANSWER, patiently, said

if TYPE_CHECKING:
    from kubernetes.client import models as k8s

    from airflow_multicluster.operators.pod import ClusterPodOperator

LATE_SECONDS = 10.0
"""How long a pod that was asked for is looked for in vain: its create may be carried out after nobody waits for it."""
LOOK_SECONDS = 0.5
MOST_DELAY = 5.0
TIMEOUT = (5, 10)
ABSENT = 404


def refuse(operator: ClusterPodOperator, pod: k8s.V1Pod | None = None) -> NoReturn:
    """Raise AirflowException since the task was killed; *pod*, which was made or found since then, is deleted first.

    Airflow's task runner calls on_kill() and goes on (apache/airflow#73006).
    """
    if pod is not None:
        operator.pod = pod
        operator.on_kill()
    kept = operator.on_kill_action == OnKillAction.KEEP_POD
    raise AirflowException(f"task {operator.task_id!r} was killed, and its pod {'kept' if kept else 'deleted'}")


def end_killed(operator: ClusterPodOperator) -> None:
    """Delete the pod of a task that was killed, unless ``on_kill_action`` keeps it; blocks."""
    if operator.on_kill_action == OnKillAction.KEEP_POD:
        operator.log.info("The task was killed; its pod is kept, as on_kill_action says")
        return
    pod = operator.pod or operator.asked_for
    if pod is None:
        return
    name, namespace = pod.metadata.name, pod.metadata.namespace
    options: dict[str, Any] = {"_request_timeout": TIMEOUT}
    if operator.termination_grace_period is not None:
        options["grace_period_seconds"] = operator.termination_grace_period
    end(
        lambda: operator.client.delete_namespaced_pod(name, namespace, **options),
        kind="pod",
        place=pod.metadata,
        operator=operator,
        late=0 if operator.pod else LATE_SECONDS,
    )


def end(
    delete: Callable[[], Any],
    *,
    kind: str,
    place: k8s.V1ObjectMeta,
    operator: ClusterPodOperator,
    late: float = 0,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Call *delete* until it is done, for as long as Airflow's ``[core] killed_task_cleanup_time`` lasts; blocks.

    What is not there is looked for *late* seconds more. What cannot be deleted is told in the log, with what to do.
    """
    began = clock()
    seconds = conf.getfloat("core", "killed_task_cleanup_time", fallback=60)
    what = f"The task was killed, and {called(kind, place, cluster=operator.cluster_name)} cannot be deleted"
    while True:
        try:
            patiently(
                delete, log=operator.log, what=what, seconds=seconds - (clock() - began), most_delay=MOST_DELAY,
                clock=clock, sleep=sleep,
            )  # fmt: skip
        except NO_ANSWER as error:
            if getattr(error, "status", None) != ABSENT:
                operator.log.error("%s", left(kind, place, cluster=operator.cluster_name, error=error))  # noqa: TRY400 - a stack trace would hide it
            elif clock() - began < late:
                sleep(LOOK_SECONDS)
                continue
        return


def called(kind: str, place: k8s.V1ObjectMeta, *, cluster: str) -> str:
    """Return what to call a pod or job in a log."""
    return f"{kind} {place.name} in namespace {place.namespace} of cluster {cluster!r}"


def left(kind: str, place: k8s.V1ObjectMeta, *, cluster: str, error: Exception) -> str:
    """Say what could not be deleted, and how to."""
    return (
        f"The task was killed, but {called(kind, place, cluster=cluster)} could not be deleted and may run on: "
        f"{said(error)}. To delete it: kubectl --kubeconfig <(multicluster kubeconfig {cluster}) "
        f"--namespace {place.namespace} delete {kind} {place.name}"
    )
