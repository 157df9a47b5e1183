"""Find the pod that an earlier try of the same task left running, and no other."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any

from airflow.providers.cncf.kubernetes.utils.pod_manager import PodPhase
from kubernetes.client import ApiException

from airflow_multicluster.documents import document_of
from airflow_multicluster.owner import deployment
from multicluster.pods.loss import ended_well
from multicluster.pods.reading import at, container_state

if TYPE_CHECKING:
    from airflow.sdk import Context
    from kubernetes.client import models as k8s

    from airflow_multicluster.operators.pod import ClusterPodOperator
    from multicluster.pods.source import Document

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


def done_or_put_away(operator: ClusterPodOperator, wanted: k8s.V1Pod, context: Context) -> k8s.V1Pod | None:
    """Return the pod of an earlier try where the work is done and nothing of it lost; put it away where it is dead.

    Put away is what has ended in any other way, was evicted or preempted: the stock operator attaches to it where it
    may not delete it, and fails again (apache/airflow#53015).
    """
    find = operator._get_pod_from_task_state_store  # noqa: SLF001
    pod = find(context) or operator.find_pod(wanted.metadata.namespace, context)
    if pod is None:
        return None
    name, log = pod.metadata.name, operator.log
    if pod.metadata.deletion_timestamp:
        log.info("Pod %s of an earlier try is being deleted; this try gets a new one", name)
        operator.patch_already_checked(pod, reraise=False)
        _see_it_go(operator, pod)
    elif (over := verdict(pod, wanted, base=operator.base_container_name, result=operator.do_xcom_push)) is not None:
        if over == DONE:
            log.info("Pod %s of an earlier try has done this task's work: it ended with exit code 0", name)
            return pod
        log.info("Pod %s of an earlier try %s; this try gets a new one", name, over)
        operator.patch_already_checked(pod, reraise=False)
        operator.process_pod_deletion(pod, reraise=False)
    return None


DONE = "has done the work"


def verdict(pod: k8s.V1Pod, wanted: k8s.V1Pod, *, base: str, result: bool) -> str | None:
    """Judge the pod of an earlier try: None where it runs or its *result* can be read, DONE, or why it is of no use."""
    found = document_of(pod)
    code = at(container_state(found, base), "terminated", "exitCode")
    if pod.status.phase == PodPhase.FAILED or code:
        return "has failed"
    if pod.status.phase != PodPhase.SUCCEEDED:
        return None
    if not ended_well(found, base=base):
        return "has ended, but nothing says with which exit code"
    if not _same_program(found, document_of(wanted), base):
        return "has ended with exit code 0, but the task asks for something else by now"
    if result:
        return "has ended with exit code 0, but its result can no longer be read: the sidecar that kept it has ended"
    return DONE


def _same_program(found: Document, wanted: Document, base: str) -> bool:
    """Whether the base containers run the same; variables count, since functions travel in them."""
    ran, asked = ({one["name"]: one for one in pod["spec"]["containers"]}.get(base, {}) for pod in (found, wanted))
    has, wants = ({one["name"]: one.get("value") or "" for one in of.get("env") or ()} for of in (ran, asked))
    same = all((ran.get(part) or []) == (asked.get(part) or []) for part in ("image", "command", "args"))
    return same and wants.items() <= has.items()


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
