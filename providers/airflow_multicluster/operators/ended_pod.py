"""What is done about a pod once its task is over: its logs are read, and it does not run on."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow.providers.cncf.kubernetes.utils.container import container_is_completed
from airflow.providers.cncf.kubernetes.utils.pod_manager import PodPhase
from airflow.providers.cncf.kubernetes.utils.xcom_sidecar import PodDefaults
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException, AirflowSkipException
from kubernetes.client import ApiException

from airflow_multicluster.documents import document_of
from airflow_multicluster.operators.pod_manager import same
from airflow_multicluster.operators.secret_env import mask_secret_env
from airflow_multicluster.patience import NO_ANSWER, patiently, said
from multicluster.pods.loss import lost_after_its_work
from multicluster.pods.never_ran import never_ran

if TYPE_CHECKING:
    from kubernetes.client import models as k8s

    from airflow_multicluster.operators.pod import ClusterPodOperator

_log = logging.getLogger(__name__)
_HOWEVER_LATE = 10**9
"""The stock reader turns away from a container that ended more than two minutes ago; a busy worker comes later."""
SIDECAR_GRACE_SECONDS = 60
LOOK_SECONDS = 60.0
"""How long an API server that gave no answer to a create is asked whether there is a pod."""


def write_logs(operator: ClusterPodOperator, pod: k8s.V1Pod, *, since_time: Any) -> None:
    """Write the logs that a task which was deferred has missed, as it would have written them had it waited.

    That is: of the containers asked for, init containers first, with prefix, formatter, levels and callbacks. Only
    the base container has a *since_time*. Nothing is followed: a pod that runs on after its task's time-out would hold
    the worker until it ends, as it holds the stock operator.
    """
    mask_secret_env(pod)  # this worker has not built it
    for container in _wanted(operator, pod):
        operator.pod_manager.fetch_container_logs(
            pod=pod,
            container_name=container,
            follow=False,
            since_time=since_time if container == operator.base_container_name else None,
            post_termination_timeout=_HOWEVER_LATE,
            container_name_log_prefix_enabled=operator.container_name_log_prefix_enabled,
            log_formatter=operator.log_formatter,
        )


def _wanted(operator: ClusterPodOperator, pod: k8s.V1Pod) -> Iterator[str]:
    started = {
        status.name
        for status in (*(pod.status.init_container_statuses or ()), *(pod.status.container_statuses or ()))
        if status.state and not status.state.waiting
    }
    for asked, containers in (
        (operator.init_container_logs, pod.spec.init_containers or ()),
        (operator.container_logs, pod.spec.containers),
    ):
        for container in containers:
            if container.name != PodDefaults.SIDECAR_CONTAINER_NAME and _is_asked(container.name, asked):
                if container.name in started:
                    yield container.name
                else:
                    operator.log.info("Container %s has not started; it has no logs", container.name)


def _is_asked(name: str, asked: Any) -> bool:
    if isinstance(asked, bool) or asked is None:
        return asked is True
    return name == asked if isinstance(asked, str) else name in asked


def refuse_what_never_ran(operator: ClusterPodOperator, pod: k8s.V1Pod) -> None:
    """Raise AirflowException, with the init container that failed, where the base container never ran and never will.

    Its log would be asked for in vain: the API server answers 400, which says nothing.
    """
    line = never_ran(operator.sightings.of(pod.metadata.name), base=operator.base_container_name)
    if line:
        operator.never_started = line
        raise AirflowException(line)


@contextmanager
def ended_with_its_task(operator: ClusterPodOperator) -> Iterator[None]:
    """Let no pod run on where the task fails between making and waiting: the stock operator forgets it then."""
    try:
        yield
    except Exception as error:
        pod = vars(operator).get("pod")  # a job operator has none of its own
        if pod is None and operator.asked_for is not None and isinstance(error, NO_ANSWER):
            pod = _made_all_the_same(operator, operator.asked_for)
        elif pod is not None:
            with suppress(*NO_ANSWER):
                pod = operator.client.read_namespaced_pod(pod.metadata.name, pod.metadata.namespace)
        if pod is not None and operator.remote_pod is None and not operator._killed:  # noqa: SLF001
            operator.process_pod_deletion(pod, reraise=False)
        raise


def _made_all_the_same(operator: ClusterPodOperator, wanted: k8s.V1Pod) -> k8s.V1Pod | None:
    """Return the pod whose create got no answer, where it is there; blocks while the API server is away."""
    read = partial(operator.client.read_namespaced_pod, wanted.metadata.name, wanted.metadata.namespace)
    try:
        found = patiently(read, log=operator.log, seconds=LOOK_SECONDS, over=lambda: operator._killed)  # noqa: SLF001
    except NO_ANSWER as error:
        if getattr(error, "status", None) != 404:  # noqa: PLR2004
            operator.log.warning("Pod %s may have been made, and run: %s", wanted.metadata.name, said(error))
        return None
    return found if same(wanted, found) else None


def take_for_succeeded(pod: k8s.V1Pod, *, base: str) -> None:
    """Write into a pod that was read that it succeeded, where it was lost with its work already done."""
    if lost_after_its_work(document_of(pod), base=base):
        _log.info("Container %r of pod %s had ended with exit code 0 before the pod was lost", base, pod.metadata.name)
        pod.status.phase = PodPhase.SUCCEEDED


@contextmanager
def after_the_reason(reason: BaseException | None, *, alone: str = "") -> Iterator[None]:
    """Let an AirflowException of the block come after *reason*, the exception on its way already, not in its place.

    Where *reason* ends with the words of *alone*, which say why the pod never started, nothing comes after them.

    The stock operator cleans up in a ``finally``; what it raises there ("Pod x returned a failure", and the pod) hides
    that the pod was never scheduled, or that its result was no JSON.
    """
    try:
        yield
    except AirflowSkipException:
        raise
    except AirflowException as error:
        if reason is None:
            raise
        last = bool(alone) and str(reason).endswith(alone)
        if isinstance(reason, AirflowException) and not isinstance(reason, AirflowFailException) and not last:
            raise AirflowException(f"{reason}\n{error}") from reason
        _log.info("%s", error)


def end(operator: ClusterPodOperator, pod: k8s.V1Pod) -> None:
    """Let a pod that is kept after its task not run on: whoever keeps it wants to look at it, not to pay for it.

    Its own deadline is moved to now (an API server allows only that), which ends the containers and keeps the object,
    its events and its logs. One whose work is done is given a minute to end by itself.
    """
    client = operator.client
    try:
        found = client.read_namespaced_pod(pod.metadata.name, pod.metadata.namespace)
        if found.status.phase in PodPhase.terminal_states or found.metadata.deletion_timestamp:
            return
        seconds = _deadline(found, base=operator.base_container_name)
        operator.log.warning("The task is over; pod %s is kept, and ended", pod.metadata.name)
        body = {"spec": {"activeDeadlineSeconds": seconds}}
        client.patch_namespaced_pod(pod.metadata.name, pod.metadata.namespace, body)
    except ApiException as error:
        if error.status != 404:  # noqa: PLR2004
            operator.log.warning("Pod %s may be running still: it cannot be ended: %s", pod.metadata.name, error.reason)


def _deadline(pod: k8s.V1Pod, *, base: str) -> int:
    age = (datetime.now(UTC) - pod.status.start_time).total_seconds() if pod.status.start_time else 0
    seconds = max(1, math.ceil(age) + (SIDECAR_GRACE_SECONDS if container_is_completed(pod, base) else 0))
    return min(seconds, pod.spec.active_deadline_seconds or seconds)
