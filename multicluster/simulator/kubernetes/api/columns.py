"""The columns of each resource's table (kubernetes/pkg/printers/internalversion)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from multicluster.simulator.kubernetes.documents import Document, at, moment
from multicluster.simulator.kubernetes.resources import Resource

Cell = Callable[[Document, dt.datetime], Any]
_NONE = "<none>"


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column. Priority above 0 is shown by `-o wide` only."""

    name: str
    cell: Cell
    type: str = "string"
    priority: int = 0


def of(resource: Resource) -> tuple[Column, ...]:
    """Return the columns of a resource: name and age for those that have none of their own."""
    return (
        _NAME,
        *_COLUMNS.get(resource.plural, ()),
        *(() if resource.plural == "events" else (_AGE,)),
        *_WIDE.get(resource.plural, ()),
    )


def age(text: str | None, now: dt.datetime) -> str:
    """Return how long ago a moment was, as kubectl prints it."""
    if not text:
        return "<unknown>"
    seconds = max(0, int((now - moment(text)).total_seconds()))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 120:  # noqa: PLR2004 - the steps of k8s.io/apimachinery `HumanDuration`
        return f"{seconds}s"
    if minutes < 10:  # noqa: PLR2004
        rest = seconds % 60
        return f"{minutes}m{rest}s" if rest else f"{minutes}m"
    if minutes < 180:  # noqa: PLR2004
        return f"{minutes}m"
    if hours < 8:  # noqa: PLR2004
        rest = minutes % 60
        return f"{hours}h{rest}m" if rest else f"{hours}h"
    return f"{hours}h" if hours < 48 else f"{days}d"  # noqa: PLR2004


def pod_status(pod: Document) -> str:
    """Return the one word (or few) for a pod's state."""
    status = pod.get("status") or {}
    result = str(status.get("reason") or status.get("phase") or "Unknown")
    inits = status.get("initContainerStatuses") or []
    for index, container in enumerate(inits):
        state = container.get("state") or {}
        if at(state, "terminated", "exitCode") == 0 or (container.get("started") and container.get("ready")):
            continue
        if "terminated" in state:
            return f"Init:{state['terminated'].get('reason') or 'ExitCode:' + str(state['terminated']['exitCode'])}"
        reason = at(state, "waiting", "reason")
        return (
            f"Init:{reason}"
            if reason not in (None, "PodInitializing", "ContainerCreating")
            else f"Init:{index}/{len(inits)}"
        )
    for container in reversed(status.get("containerStatuses") or []):
        state = container.get("state") or {}
        result = at(state, "waiting", "reason") or at(state, "terminated", "reason") or result
    if status.get("phase") == "Running" and result == "Completed" and _ready_count(pod)[0]:
        result = "Running"
    return "Terminating" if "deletionTimestamp" in pod["metadata"] else str(result)


def _ready_count(pod: Document) -> tuple[int, int]:
    statuses = at(pod, "status", "containerStatuses", default=[])
    return sum(bool(container.get("ready")) for container in statuses), len(pod["spec"]["containers"])


def _pod_ready(pod: Document, _now: dt.datetime) -> str:
    ready, total = _ready_count(pod)
    return f"{ready}/{total}"


def _restarts(pod: Document, now: dt.datetime) -> str:
    statuses = at(pod, "status", "containerStatuses", default=[])
    count = sum(int(container.get("restartCount", 0)) for container in statuses)
    ends = [end for container in statuses if (end := at(container, "lastState", "terminated", "finishedAt"))]
    return f"{count} ({age(max(ends), now)} ago)" if count and ends else str(count)


def _node_status(node: Document, _now: dt.datetime) -> str:
    ready = next((c for c in at(node, "status", "conditions", default=[]) if c["type"] == "Ready"), None)
    word = "Unknown" if ready is None else "Ready" if ready["status"] == "True" else "NotReady"
    return word + (",SchedulingDisabled" if at(node, "spec", "unschedulable") else "")


def _roles(node: Document, _now: dt.datetime) -> str:
    prefix = "node-role.kubernetes.io/"
    labels = at(node, "metadata", "labels", default={})
    return ",".join(sorted(key.removeprefix(prefix) for key in labels if key.startswith(prefix))) or _NONE


def _event_object(event: Document, _now: dt.datetime) -> str:
    involved = event.get("involvedObject") or event.get("regarding") or {}
    return f"{str(involved.get('kind', '')).lower()}/{involved.get('name', '')}"


def _last_seen(event: Document, now: dt.datetime) -> str:
    last = event.get("lastTimestamp") or event.get("deprecatedLastTimestamp") or event.get("eventTime")
    return age(last, now)


def _job_status(job: Document, _now: dt.datetime) -> str:
    held = [c["type"] for c in at(job, "status", "conditions", default=[]) if c["status"] == "True"]
    for word in ("Failed", "Complete", "Suspended"):
        if word in held:
            return word
    return "Running"


def _completions(job: Document, _now: dt.datetime) -> str:
    return f"{at(job, 'status', 'succeeded', default=0)}/{at(job, 'spec', 'completions', default=1)}"


def _duration(job: Document, now: dt.datetime) -> str:
    start = at(job, "status", "startTime")
    if not start:
        return ""
    end = at(job, "status", "completionTime")
    return age(start, moment(end) if end else now)


def _value(*path: str, default: str = "") -> Cell:
    return lambda document, _now: at(document, *path, default=default)


def _count(*path: str) -> Cell:
    return lambda document, _now: len(at(document, *path, default=[]))


_NAME = Column(name="Name", cell=_value("metadata", "name"))
_AGE = Column(name="Age", cell=lambda document, now: age(at(document, "metadata", "creationTimestamp"), now))
_COLUMNS: Mapping[str, tuple[Column, ...]] = {
    "pods": (
        Column(name="Ready", cell=_pod_ready),
        Column(name="Status", cell=lambda pod, _now: pod_status(pod)),
        Column(name="Restarts", cell=_restarts),
    ),
    "nodes": (Column(name="Status", cell=_node_status), Column(name="Roles", cell=_roles)),
    "namespaces": (Column(name="Status", cell=_value("status", "phase")),),
    "configmaps": (Column(name="Data", cell=_count("data"), type="integer"),),
    "secrets": (
        Column(name="Type", cell=_value("type", default="Opaque")),
        Column(name="Data", cell=_count("data"), type="integer"),
    ),
    "serviceaccounts": (Column(name="Secrets", cell=_count("secrets"), type="integer"),),
    "jobs": (
        Column(name="Status", cell=_job_status),
        Column(name="Completions", cell=_completions),
        Column(name="Duration", cell=_duration),
    ),
    "leases": (Column(name="Holder", cell=_value("spec", "holderIdentity")),),
    "daemonsets": tuple(
        Column(name=title, cell=_value("status", field, default="0"))
        for title, field in (
            ("Desired", "desiredNumberScheduled"),
            ("Current", "currentNumberScheduled"),
            ("Ready", "numberReady"),
        )
    ),
    "events": (
        Column(name="Last Seen", cell=_last_seen),
        Column(name="Type", cell=_value("type")),
        Column(name="Reason", cell=_value("reason")),
        Column(name="Object", cell=_event_object),
        Column(name="Message", cell=lambda event, _now: event.get("message") or event.get("note") or ""),
    ),
}
_WIDE: Mapping[str, tuple[Column, ...]] = {
    "pods": (
        Column(name="IP", cell=_value("status", "podIP", default=_NONE), priority=1),
        Column(name="Node", cell=_value("spec", "nodeName", default=_NONE), priority=1),
        Column(name="Nominated Node", cell=_value("status", "nominatedNodeName", default=_NONE), priority=1),
        Column(name="Readiness Gates", cell=lambda _pod, _now: _NONE, priority=1),
    ),
    "nodes": (
        Column(name="Version", cell=_value("status", "nodeInfo", "kubeletVersion")),
        Column(name="Internal-IP", cell=lambda _node, _now: "127.0.0.1", priority=1),
        Column(name="OS-Image", cell=_value("status", "nodeInfo", "osImage"), priority=1),
    ),
}
