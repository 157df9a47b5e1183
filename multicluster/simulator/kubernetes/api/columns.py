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
    if resource.plural == "events":
        return _EVENTS
    if resource.plural in ("roles", "clusterroles"):
        return (_NAME, _CREATED)
    return (_NAME, *_COLUMNS.get(resource.plural, ()), _AGE, *_WIDE.get(resource.plural, ()))


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
    statuses, inits = _counted(pod), pod["spec"].get("initContainers") or []
    sidecars = sum(container.get("restartPolicy") == "Always" for container in inits)
    return sum(bool(container.get("ready")) for container in statuses), len(pod["spec"]["containers"]) + sidecars


def _counted(pod: Document) -> list[Document]:
    """Return the statuses of the containers that are to stay, sidecars among them."""
    inits = pod["spec"].get("initContainers") or []
    names = {container["name"] for container in inits if container.get("restartPolicy") == "Always"}
    started = at(pod, "status", "initContainerStatuses", default=[])
    return [
        *(status for status in started if status["name"] in names),
        *at(pod, "status", "containerStatuses", default=[]),
    ]


def _pod_ready(pod: Document, _now: dt.datetime) -> str:
    ready, total = _ready_count(pod)
    return f"{ready}/{total}"


def _restarts(pod: Document, now: dt.datetime) -> str:
    statuses = _counted(pod)
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


def _pairs(document: Document, *path: str) -> str:
    return ",".join(f"{key}={value}" for key, value in at(document, *path, default={}).items()) or _NONE


def _containers(owner: Document, field: str) -> str:
    containers = at(owner, "spec", "template", "spec", "containers", default=[])
    return ",".join(str(container.get(field, "")) for container in containers)


def _subjects(kind: str) -> Cell:
    def cell(binding: Document, _now: dt.datetime) -> str:
        found = [subject for subject in binding.get("subjects") or [] if subject.get("kind") == kind]
        return ", ".join(f"{s['namespace']}/{s['name']}" if s.get("namespace") else s["name"] for s in found)

    return cell


def _quota(quota: Document, *, limits: bool) -> str:
    hard, used = (at(quota, "status", kind, default={}) for kind in ("hard", "used"))
    named = sorted(name for name in hard if name.startswith("limits.") == limits)
    return ", ".join(f"{name}: {used.get(name, '0')}/{hard[name]}" for name in named)


_NAME = Column(name="Name", cell=_value("metadata", "name"))
_AGE = Column(name="Age", cell=lambda document, now: age(at(document, "metadata", "creationTimestamp"), now))
_CREATED = Column(name="Created At", cell=_value("metadata", "creationTimestamp"), type="date")
_ROLE = Column(name="Role", cell=lambda binding, _now: f"{binding['roleRef']['kind']}/{binding['roleRef']['name']}")
_COLUMNS: Mapping[str, tuple[Column, ...]] = {
    "pods": (
        Column(name="Ready", cell=_pod_ready),
        Column(name="Status", cell=lambda pod, _now: pod_status(pod)),
        Column(name="Restarts", cell=_restarts),
    ),
    "nodes": (Column(name="Status", cell=_node_status), Column(name="Roles", cell=_roles)),
    "namespaces": (Column(name="Status", cell=_value("status", "phase")),),
    "configmaps": (Column(name="Data", cell=_count("data")),),
    "secrets": (
        Column(name="Type", cell=_value("type", default="Opaque")),
        Column(name="Data", cell=_count("data")),
    ),
    "resourcequotas": (
        Column(name="Request", cell=lambda quota, _now: _quota(quota, limits=False)),
        Column(name="Limit", cell=lambda quota, _now: _quota(quota, limits=True)),
    ),
    "rolebindings": (_ROLE,),
    "clusterrolebindings": (_ROLE,),
    "jobs": (
        Column(name="Status", cell=_job_status),
        Column(name="Completions", cell=_completions),
        Column(name="Duration", cell=_duration),
    ),
    "leases": (Column(name="Holder", cell=_value("spec", "holderIdentity")),),
    "daemonsets": (
        *(
            Column(name=title, cell=_value("status", field, default="0"), type="integer")
            for title, field in (
                ("Desired", "desiredNumberScheduled"),
                ("Current", "currentNumberScheduled"),
                ("Ready", "numberReady"),
                ("Up-to-date", "updatedNumberScheduled"),
                ("Available", "numberAvailable"),
            )
        ),
        Column(
            name="Node Selector", cell=lambda daemons, _now: _pairs(daemons, "spec", "template", "spec", "nodeSelector")
        ),
    ),
}
_SUBJECTS = tuple(
    Column(name=title, cell=_subjects(kind), priority=1)
    for title, kind in (("Users", "User"), ("Groups", "Group"), ("ServiceAccounts", "ServiceAccount"))
)
_WORKLOAD = (
    Column(name="Containers", cell=lambda owner, _now: _containers(owner, "name"), priority=1),
    Column(name="Images", cell=lambda owner, _now: _containers(owner, "image"), priority=1),
    Column(name="Selector", cell=lambda owner, _now: _pairs(owner, "spec", "selector", "matchLabels"), priority=1),
)
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
        Column(name="External-IP", cell=lambda _node, _now: _NONE, priority=1),
        Column(name="OS-Image", cell=_value("status", "nodeInfo", "osImage"), priority=1),
        Column(name="Kernel-Version", cell=_value("status", "nodeInfo", "kernelVersion"), priority=1),
        Column(name="Container-Runtime", cell=_value("status", "nodeInfo", "containerRuntimeVersion"), priority=1),
    ),
    "daemonsets": _WORKLOAD,
    "jobs": _WORKLOAD,
    "rolebindings": _SUBJECTS,
    "clusterrolebindings": _SUBJECTS,
}
_EVENTS = (
    Column(name="Last Seen", cell=_last_seen),
    Column(name="Type", cell=_value("type")),
    Column(name="Reason", cell=_value("reason")),
    Column(name="Object", cell=_event_object),
    Column(name="Subobject", cell=_value("involvedObject", "fieldPath"), priority=1),
    Column(name="Source", cell=_value("source", "component"), priority=1),
    Column(name="Message", cell=lambda event, _now: event.get("message") or event.get("note") or ""),
    Column(name="First Seen", cell=_value("firstTimestamp"), priority=1),
    Column(name="Count", cell=_value("count", default="1"), priority=1),
    Column(name="Name", cell=_value("metadata", "name"), priority=1),
)
