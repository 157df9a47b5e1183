"""Find the pod that an earlier try of the same task left running, and no other."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any

from airflow.providers.cncf.kubernetes.utils.pod_manager import PodPhase
from kubernetes.client import ApiException

from airflow_multicluster.owner import deployment

if TYPE_CHECKING:
    from airflow.sdk import Context
    from kubernetes.client import models as k8s

    from airflow_multicluster.operators.pod import ClusterPodOperator

DEPLOYMENT_LABEL = "airflow-multicluster/deployment"
LOOK_SECONDS, SLACK_SECONDS = 1.0, 5.0
ABSENT = 404
_IDENTITY_KEY = "pod_identifier"


def deployment_labels() -> dict[str, str]:
    """Return the label that tells pods of two Airflows on one cluster apart; none where this Airflow has no name."""
    name = deployment()
    return {DEPLOYMENT_LABEL: hashlib.sha256(name.encode()).hexdigest()[:16]} if name else {}


def stored_elsewhere(context: Context, *, cluster: str) -> str | None:
    """Return the other cluster on which the stored pod of an earlier try runs; None when there is no such thing."""
    stored = _stored(context)
    if not isinstance(stored, dict) or stored.get("cluster") == cluster:
        return None
    return str(stored.get("cluster", ""))


def store_cluster(context: Context, *, cluster: str) -> None:
    """Add the cluster to the pod's identity that the stock operator has stored, where there is a store."""
    stored = _stored(context)
    if isinstance(stored, dict):
        store: Any = context["task_state_store"]
        store.set(_IDENTITY_KEY, {**stored, "cluster": cluster})


def _stored(context: Context) -> Any:
    store: Any = context.get("task_state_store")
    return None if store is None else store.get(_IDENTITY_KEY)


def make_anew(operator: ClusterPodOperator, wanted: k8s.V1Pod, context: Context) -> k8s.V1Pod:
    """Make the pod, whatever pods of this task there are."""
    made = operator.pod_manager.create_pod(wanted)
    if operator.reattach_on_restart:
        operator._persist_pod_identity_to_task_state_store(context, made)  # noqa: SLF001
    return wanted


def put_away_the_dead(operator: ClusterPodOperator, namespace: str, context: Context) -> None:
    """Mark the pod of an earlier try as dealt with when it has failed, was evicted or preempted.

    The stock operator attaches to it where it may not delete it, and fails again (apache/airflow#53015).
    """
    pod = operator._get_pod_from_task_state_store(context) or operator.find_pod(namespace, context)  # noqa: SLF001
    if pod is None:
        return
    if pod.metadata.deletion_timestamp:
        operator.log.info("Pod %s of an earlier try is being deleted; this try gets a new one", pod.metadata.name)
        operator.patch_already_checked(pod, reraise=False)
        _see_it_go(operator, pod)
    elif pod.status.phase == PodPhase.FAILED:
        operator.log.info("Pod %s of an earlier try has failed; this try gets a new one", pod.metadata.name)
        operator.patch_already_checked(pod, reraise=False)
        operator.process_pod_deletion(pod, reraise=False)


def _see_it_go(operator: ClusterPodOperator, pod: k8s.V1Pod) -> None:
    """Wait until a pod that is being deleted is gone, or its grace period over: the work must not run twice."""
    until = time.monotonic() + (pod.metadata.deletion_grace_period_seconds or 0) + SLACK_SECONDS
    while time.monotonic() < until and not operator._killed:  # noqa: SLF001
        try:
            found = operator.client.read_namespaced_pod(pod.metadata.name, pod.metadata.namespace)
        except ApiException as error:
            if error.status == ABSENT:
                return
            found = pod
        if found.metadata.uid != pod.metadata.uid or found.status.phase in PodPhase.terminal_states:
            return
        time.sleep(LOOK_SECONDS)


def newest_of_many(operator: ClusterPodOperator, namespace: str, context: Context) -> k8s.V1Pod | None:
    """Return the newest of the pods that match this task, and delete the others: the work must not run twice."""
    selector = operator._build_find_pod_label_selector(context)  # noqa: SLF001
    found = operator.client.list_namespaced_pod(namespace=namespace, label_selector=selector).items
    if not found:
        return None
    *others, newest = sorted(found, key=lambda pod: (_lives(pod), pod.metadata.creation_timestamp, pod.metadata.name))
    for other in others:
        operator.log.warning(
            "Pods %s and %s are both this task's; keeping the newer, deleting the other",
            newest.metadata.name,
            other.metadata.name,
        )
        operator.pod_manager.delete_pod(other)
    return newest


def _lives(pod: k8s.V1Pod) -> bool:
    return not pod.metadata.deletion_timestamp and pod.status.phase != PodPhase.FAILED
