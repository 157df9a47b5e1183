"""Judge whether a pod was lost to the infrastructure or ended by its own program.

Sources of the words: kubernetes/pkg/apis/core/types.go (reasons of DisruptionTarget), pkg/kubelet/eviction/helpers.go,
pkg/kubelet/lifecycle/predicate.go, pkg/kubelet/nodeshutdown, pkg/controller/{podgc,tainteviction}; KEP-3329.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from multicluster.pods.reading import at, condition, container_state, node_of, of_pod, one_line
from multicluster.pods.source import Document

DISRUPTIONS = {
    "PreemptionByScheduler": "was preempted on",
    "DeletionByTaintManager": "was deleted by the taint manager from",
    "EvictionByEvictionAPI": "was evicted from",
    "DeletionByPodGC": "was lost with",
    "TerminationByKubelet": "was terminated by the kubelet of",
}
"""What the reasons of the condition DisruptionTarget mean."""
REASONS = {
    "Evicted": "was evicted from",
    "Preempting": "was preempted on",
    "NodeLost": "was lost with",
    "Shutdown": "was shut down with",
    "NodeShutdown": "was shut down with",
    "Terminated": "was shut down with",
    "NodeAffinity": "was refused by",
    "UnexpectedAdmissionError": "was refused by",
    "TopologyAffinityError": "was refused by",
}
"""What ``status.reason`` means where a kubelet or a controller wrote it; also ``OutOf...``, of a kubelet."""
EVENTS = {
    "Evicted": "was evicted from",
    "Preempted": "was preempted on",
    "Preempting": "was preempted on",
    "TaintManagerEviction": "was deleted by the taint manager from",
    "ScaleDown": "was evicted from",
}
"""Events that outlive a pod which is gone: of kubelet, scheduler, taint manager, autoscalers."""
_OWN_LIMIT = re.compile(r"exceed(s|ed)\b.*\blimit\b")
"""A kubelet evicts a pod also for what it does itself: more ephemeral storage than its own limit."""


@dataclass(frozen=True, kw_only=True)
class Loss:
    """What took a pod away that its program did not ask for."""

    what: str
    node: str = ""
    reason: str
    message: str = ""

    def __str__(self) -> str:
        why = f"{self.reason}: {self.message}" if self.message else self.reason
        return f"{self.what} node {self.node or '(unknown)'} ({why})"


def loss(
    pod: Document | None, *, base: str, gone: bool = False, events: Iterable[Document] = (), node_trouble: str = ""
) -> Loss | None:
    """Return what the pod was lost to; None where the program ended it, or somebody deleted it.

    *pod* is as it was last seen. Where it is *gone*, its *events* and *node_trouble* (what is wrong with its node now:
    ``no longer exists``, ``is NotReady``) are evidence too.
    """
    if _ended_by_itself(pod, base):
        return None
    if found := _in_pod(pod, base):
        return found
    if not gone or at(container_state(pod, base), "terminated"):
        return None
    told = of_pod(events, pod)
    node = node_of(pod, told)
    for event in reversed(told):
        reason, message = str(event.get("reason")), one_line(event.get("message"))
        if reason in EVENTS and not message.startswith("Cancelling"):
            own = reason == "Evicted" and _OWN_LIMIT.search(message)
            return None if own else Loss(what=EVENTS[reason], node=node, reason=reason, message=message)
    return Loss(what="was lost with", node=node, reason=f"the node {node_trouble}") if node and node_trouble else None


def ended_well(pod: Document | None, *, base: str) -> bool:
    """Whether the base container ended with exit code 0, and not because somebody asked for the pod's deletion."""
    ended = at(container_state(pod, base), "terminated") or {}
    deleted, grace = at(pod, "metadata", "deletionTimestamp"), at(pod, "metadata", "deletionGracePeriodSeconds") or 0
    if ended.get("exitCode") != 0 or (deleted and not ended.get("finishedAt")):
        return False
    asked = datetime.fromisoformat(deleted) - timedelta(seconds=grace) if deleted else None
    return asked is None or datetime.fromisoformat(ended["finishedAt"]) <= asked


def lost_after_its_work(pod: Document | None, *, base: str) -> bool:
    """Whether the base container had ended with exit code 0 when the rest of the pod was lost."""
    code = at(container_state(pod, base), "terminated", "exitCode")
    return code == 0 and at(pod, "status", "phase") == "Failed" and _in_pod(pod, base) is not None


def _in_pod(pod: Document | None, base: str) -> Loss | None:
    reason, message = str(at(pod, "status", "reason") or ""), one_line(at(pod, "status", "message"))
    disrupted = condition(pod, "DisruptionTarget")
    if disrupted.get("status") != "True":
        disrupted = {}
    if reason == "Evicted" and not disrupted and _OWN_LIMIT.search(message):
        return None
    if reason in REASONS or reason.startswith("OutOf"):
        return Loss(what=REASONS.get(reason, "was refused by"), node=node_of(pod), reason=reason, message=message)
    if disrupted:
        why = str(disrupted.get("reason") or "DisruptionTarget")
        what = DISRUPTIONS.get(why, "was disrupted on")
        return Loss(what=what, node=node_of(pod), reason=why, message=one_line(disrupted.get("message")))
    lost = at(container_state(pod, base), "terminated") or {}
    if lost.get("reason") == "ContainerStatusUnknown":
        message = one_line(lost.get("message"))
        return Loss(what="was lost by the kubelet of", node=node_of(pod), reason=lost["reason"], message=message)
    return None


def _ended_by_itself(pod: Document | None, base: str) -> bool:
    """Whether the program came to its end, good or bad, before anything else took the pod away."""
    if at(pod, "status", "reason") == "DeadlineExceeded":
        return True
    ended = at(container_state(pod, base), "terminated")
    if not ended or ended.get("reason") == "ContainerStatusUnknown":
        return False
    if ended.get("exitCode") == 0 or ended.get("reason") == "OOMKilled":
        return True
    since = condition(pod, "DisruptionTarget").get("lastTransitionTime") or ""
    return bool(since) and str(ended.get("finishedAt") or since) < since
