"""Find and delete pods of tasks that have ended while nobody was there to delete them.

A pod is marked when it is first seen to be stray, and deleted when it still is after a grace: Airflow does not tell
when a task ended, and one that just ended deletes its own pod.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from airflow_multicluster.operators.reattach import DEPLOYMENT_LABEL, deployment_labels
from airflow_multicluster.pod_task import PodTask
from airflow_multicluster.run_states import RunStates
from multicluster.access.clock import Clock, system_clock
from multicluster.errors import AccessError
from multicluster.node_pools.durations import hours
from multicluster.node_pools.lease import read_moment
from multicluster.reaper.pod_list import list_pods

if TYPE_CHECKING:
    from multicluster import Cluster

STRAY_SINCE = "airflow-multicluster/stray-since"
UNENDED = "status.phase!=Succeeded,status.phase!=Failed"
ABSENT, CONFLICT = 404, 409
PodFate = Literal["delete", "mark", "unmark", "leave"]


@dataclass(frozen=True, kw_only=True)
class PodFacts:
    """A pod of this deployment that has not ended."""

    namespace: str
    name: str
    uid: str
    task: PodTask
    stray_since: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class PodVerdict:
    """What is to become of a pod, and why."""

    pod: PodFacts
    fate: PodFate
    reason: str


def judge(pod: PodFacts, finished: str | None, *, now: datetime, grace: timedelta) -> PodVerdict:
    """Judge a pod by the state in which its task has *finished*; None unless it has."""
    if finished is None:
        fate: PodFate = "unmark" if pod.stray_since else "leave"
        return PodVerdict(pod=pod, fate=fate, reason="its task has not finished")
    ended = "its run was deleted" if finished == "deleted" else f"its task has ended ({finished})"
    if pod.task.kept:
        return PodVerdict(pod=pod, fate="leave", reason=f"{ended}, and keeps its pod")
    if pod.stray_since is None:
        return PodVerdict(pod=pod, fate="mark", reason=f"{ended}; it is deleted unless it is gone in {hours(grace)}")
    since = now - pod.stray_since
    fate = "delete" if since >= grace else "leave"
    return PodVerdict(pod=pod, fate=fate, reason=f"{ended}, and was seen {hours(since)} ago")


class PodSweep:
    """Sweeps one cluster. Only pods that carry this deployment's own label are looked at."""

    def __init__(self, cluster: Cluster, states: RunStates, *, grace: timedelta, clock: Clock = system_clock) -> None:
        self._cluster, self._states, self._grace, self._clock = cluster, states, grace, clock

    def look(self) -> list[PodFacts]:
        """List the pods; blocks. Raises AccessError where they cannot be listed."""
        return list(self._pods()) if deployment_labels() else []

    def sweep(self, pods: Iterable[PodFacts]) -> list[PodVerdict]:
        """Judge *pods* and do what is to be done; blocks. Raises AccessError and ClusterIdentityError."""
        verdicts = [judge(pod, self._finished(pod.task), now=self._clock(), grace=self._grace) for pod in pods]
        if any(one.fate != "leave" for one in verdicts):
            self._cluster.check_identity()
        return [self._done(one) for one in verdicts]

    def _finished(self, task: PodTask) -> str | None:
        return self._states.of_task(task.dag_id, task.run_id, task.task_id, task.map_index)

    def _done(self, verdict: PodVerdict) -> PodVerdict:
        from kubernetes.client.exceptions import ApiException

        try:
            self._do(verdict)
        except ApiException as error:
            if error.status in {ABSENT, CONFLICT}:  # it is gone, or another one has its name
                return replace(verdict, fate="leave", reason="it is gone already")
            raise AccessError(
                f"cluster {self._cluster.name!r}: to {verdict.fate} pod {verdict.pod.namespace}/{verdict.pod.name} is "
                f"answered {error.status} {error.reason}; the identity needs list, patch and delete on pods"
            ) from error
        return verdict

    def _do(self, verdict: PodVerdict) -> None:
        from kubernetes.client import CoreV1Api

        api, pod = CoreV1Api(self._cluster.client()), verdict.pod
        if verdict.fate == "delete":
            api.delete_namespaced_pod(pod.name, pod.namespace, body={"preconditions": {"uid": pod.uid}})
        elif verdict.fate in {"mark", "unmark"}:
            mark = str(int(self._clock().timestamp())) if verdict.fate == "mark" else None
            body = {"metadata": {"uid": pod.uid, "annotations": {STRAY_SINCE: mark}}}
            api.patch_namespaced_pod(pod.name, pod.namespace, body)

    def _pods(self) -> Iterator[PodFacts]:
        of_ours = f"{DEPLOYMENT_LABEL}={deployment_labels()[DEPLOYMENT_LABEL]}"
        for item in list_pods(self._cluster, label_selector=of_ours, field_selector=UNENDED):
            metadata = item["metadata"]
            annotations = metadata.get("annotations") or {}
            task = PodTask.of(annotations)
            if task is None or metadata.get("deletionTimestamp") or metadata.get("ownerReferences"):
                continue  # not one that we made by itself, or on its way out
            yield PodFacts(
                namespace=metadata["namespace"],
                name=metadata["name"],
                uid=metadata["uid"],
                task=task,
                stray_since=_moment(annotations.get(STRAY_SINCE)),
            )


def _moment(seconds: str | None) -> datetime | None:
    """Read a mark; None for one that others wrote, which is no moment."""
    try:
        return read_moment(seconds or "")
    except (ValueError, OverflowError):
        return None
