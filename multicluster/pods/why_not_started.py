"""Say in one line why a pod has not started."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from multicluster.pods.reading import at, condition, node_of, of_pod, one_line, statuses
from multicluster.pods.source import Document
from multicluster.pods.why import Kind, Why
from multicluster.pods.why_image import REASONS as IMAGE_REASONS
from multicluster.pods.why_image import why_image
from multicluster.pods.why_unschedulable import Node, matching, why_unschedulable

_CONFIG = re.compile(r"\b(configmap|secret)\b", re.IGNORECASE)
_MISSING = re.compile("not found|non-existent")
_VOLUME_NAME = re.compile(r'volume "([^"]+)"|unmounted volumes=\[([^\]]*)\]')
_CANNOT = frozenset({"CreateContainerError", "RunContainerError", "CrashLoopBackOff", "StartError"})
_VOLUME_EVENTS = frozenset({"FailedMount", "FailedAttachVolume", "FailedMapVolume", "VolumeResizeFailed"})
_SANDBOX_EVENTS = frozenset({"FailedCreatePodSandBox", "FailedCreatePodContainer", "NetworkNotReady"})


def why_not_started(
    pod: Document,
    *,
    events: Iterable[Document] = (),
    nodes: Sequence[Node] | None = None,
    cloud: Sequence[str] = (),
) -> Why | None:
    """Judge a pod that is Pending, by what is known of it; None where it has started, or nothing is told yet.

    *nodes* are all of the cluster, None where they are not known; *cloud* is what the cloud says of the pod's node
    pool, in its own words.
    """
    if at(pod, "status", "phase") not in ("Pending", None):
        return None
    told = of_pod(events, pod)
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("status") == "True" or at(pod, "spec", "nodeName"):
        return _on_node(pod, told)
    message = one_line(scheduled.get("message"), most=2000)
    if scheduled.get("reason") == "SchedulingGated":
        gates = ", ".join(str(one.get("name")) for one in at(pod, "spec", "schedulingGates") or ())
        return Why(
            kind=Kind.GATE, text=f"waits for its scheduling gates to be opened: {gates}", source="PodScheduled: False"
        )
    if not message:
        return None
    source = f"event FailedScheduling: {message}"
    kind, text = why_unschedulable(pod, message, nodes)
    if cloud and (kind is Kind.RESOURCES or not matching(pod, nodes)):
        text = f"the cloud has no machine for the pod's node pool: {'; '.join(cloud)}"
        return Why(kind=Kind.CAPACITY, text=text, source=source)
    return Why(kind=kind, text=text, source=source)


def _on_node(pod: Document, events: Sequence[Document]) -> Why | None:
    for called, status in statuses(pod):
        waiting = at(status, "state", "waiting") or {}
        reason, message = str(waiting.get("reason") or ""), one_line(waiting.get("message"))
        source = f"{called}: {reason}: {message}" if message else f"{called}: {reason}"
        if reason in IMAGE_REASONS:
            text = why_image(str(status.get("image")), reason, message, pod=pod, events=events)
            return Why(kind=Kind.IMAGE, text=text, source=source)
        if reason == "CreateContainerConfigError":
            kind = Kind.CONFIG if _CONFIG.search(message) else Kind.CONTAINER
            return Why(kind=kind, text=f"{called} cannot be configured: {message}", source=f"{called}: {reason}")
        if reason in _CANNOT:
            return Why(kind=Kind.CONTAINER, text=f"{called} cannot be started: {message}", source=source)
        if "running" in (status.get("state") or {}) and called.startswith("init"):
            return Why(kind=Kind.BUSY, text=f"{called} is still running", source=f"status of {called}")
    return _by_event(pod, events)


def _by_event(pod: Document, events: Sequence[Document]) -> Why | None:
    """Judge by the newest event that says anything: kubelets write nothing of mounts and sandboxes into the pod."""
    for event in reversed(events):
        reason, message = str(event.get("reason")), one_line(event.get("message"))
        source = f"event {reason}: {message}"
        if reason in _VOLUME_EVENTS:
            return _volume(message, source)
        if reason in _SANDBOX_EVENTS:
            text = f"node {node_of(pod, events)} cannot set up the pod: {message}"
            return Why(kind=Kind.SANDBOX, text=text, source=source)
        if reason == "Pulling":
            return Why(kind=Kind.BUSY, text=f"node {node_of(pod, events)} is still pulling an image", source=source)
        if reason in ("Pulled", "Created", "Started", "SuccessfulAttachVolume"):
            return None
    return None


def _volume(message: str, source: str) -> Why:
    found = _VOLUME_NAME.search(message)
    name = (found[1] or found[2]) if found else ""
    cause = message.partition(f'volume "{name}" : ')[2] or message
    kind = Kind.CONFIG if _CONFIG.search(cause) and _MISSING.search(cause) else Kind.VOLUME
    return Why(kind=kind, text=f"volume {name!r} cannot be mounted: {cause}", source=source)
