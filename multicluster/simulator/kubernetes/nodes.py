"""Nodes as the machines behind them come and go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from multicluster.simulator.kubernetes.deletion import DeleteOptions, Deletion
from multicluster.simulator.kubernetes.documents import Document, at, name_of, namespace_of, stamp
from multicluster.simulator.kubernetes.events import EventRecorder
from multicluster.simulator.kubernetes.resources import NODES, PODS
from multicluster.simulator.kubernetes.scheduler.scheduler import set_condition
from multicluster.simulator.kubernetes.store import Store

_NOT_READY = "node.kubernetes.io/not-ready"
_CONTROLLER = "node-controller"


@dataclass(frozen=True, kw_only=True)
class NodeShape:
    """How a node joins."""

    capacity: Mapping[str, str]
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: Sequence[Mapping[str, str]] = ()
    ready: bool = False
    provider_id: str = ""


class Nodes:
    """Adds, changes and drains nodes. Removing one is the store's and the kubelet's business."""

    def __init__(self, store: Store, events: EventRecorder, deletion: Deletion, version: str) -> None:
        self._store = store
        self._events = events
        self._deletion = deletion
        self._version = version

    def add(self, name: str, shape: NodeShape) -> None:
        """Let a node register itself, as its kubelet would. Raises `ApiError` 409 for a name taken."""
        offered = {"pods": "110", **shape.capacity}
        node: Document = {
            "kind": "Node",
            "apiVersion": "v1",
            "metadata": {"name": name, "labels": {**_standard_labels(name), **shape.labels}},
            "spec": {
                "providerID": shape.provider_id or f"simulator:///{name}",
                "taints": [dict(taint) for taint in shape.taints],
            },
            "status": {
                "capacity": dict(offered),
                "allocatable": dict(offered),
                "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}, {"type": "Hostname", "address": name}],
                "nodeInfo": _node_info(name, self._version),
                "conditions": self._pressures(),
            },
        }
        self._set_ready(node, ready=shape.ready)
        created = self._store.create(NODES, node)
        self._events.normal(
            created, "RegisteredNode", f"Node {name} event: Registered Node {name} in Controller", _CONTROLLER
        )

    def change(
        self,
        name: str,
        *,
        ready: bool | None,
        allocatable: Mapping[str, str] | None,
        remove_taints: Iterable[str],
    ) -> None:
        """Change a node's readiness, add to what it offers, take taints off by key. Raises `ApiError` 404."""
        keys = set(remove_taints)

        def edit(node: Document) -> None:
            if ready is not None:
                self._set_ready(node, ready=ready)
            for kind in ("capacity", "allocatable"):
                node["status"][kind] = {**node["status"].get(kind, {}), **(allocatable or {})}
            node["spec"]["taints"] = [t for t in node["spec"].get("taints") or [] if t.get("key") not in keys]

        before = self._store.get(NODES, "", name)
        after = self._store.change(NODES, "", name, edit)
        if ready is not None and _ready(before) != _ready(after):
            reason = "NodeReady" if ready else "NodeNotReady"
            self._events.normal(after, reason, f"Node {name} status is now: {reason}", "kubelet")

    def drain(self, name: str) -> None:
        """Cordon a node and evict its pods, daemons apart: each gets its grace period."""

        def cordon(node: Document) -> None:
            node.setdefault("spec", {})["unschedulable"] = True

        self._store.change(NODES, "", name, cordon)
        for pod in self.pods(name):
            owners = at(pod, "metadata", "ownerReferences", default=[])
            if not any(owner.get("kind") == "DaemonSet" for owner in owners):
                self._deletion.delete(PODS, namespace_of(pod), name_of(pod), DeleteOptions())

    def pods(self, name: str) -> list[Document]:
        """Return the pods bound to a node."""
        return [pod for pod in self._store.all(PODS) if at(pod, "spec", "nodeName") == name]

    def _set_ready(self, node: Document, *, ready: bool) -> None:
        taints = [taint for taint in node["spec"].get("taints") or [] if taint.get("key") != _NOT_READY]
        if not ready:
            taints += [{"key": _NOT_READY, "effect": effect} for effect in ("NoSchedule", "NoExecute")]
        node["spec"]["taints"] = taints
        known = next((c for c in node["status"].get("conditions", []) if c["type"] == "Ready"), None)
        status = "True" if ready else "False"
        if known is not None and known["status"] == status:
            return
        condition = {
            "type": "Ready",
            "status": status,
            "reason": "KubeletReady" if ready else "KubeletNotReady",
            "message": "kubelet is posting ready status" if ready else "container runtime network not ready",
            "lastTransitionTime": stamp(self._store.clock.now()),
            "lastHeartbeatTime": stamp(self._store.clock.now()),
        }
        set_condition(node, condition)
        node["status"]["conditions"][-1].pop("lastProbeTime")

    def _pressures(self) -> list[Document]:
        now = stamp(self._store.clock.now())
        return [
            {
                "type": f"{what}Pressure",
                "status": "False",
                "reason": f"KubeletHas{enough}",
                "message": f"kubelet has {enough}",
                "lastHeartbeatTime": now,
                "lastTransitionTime": now,
            }
            for what, enough in (
                ("Memory", "SufficientMemory"),
                ("Disk", "NoDiskPressure"),
                ("PID", "SufficientPID"),
            )
        ]


def _ready(node: Document) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True" for c in node["status"].get("conditions", []))


def _standard_labels(name: str) -> dict[str, str]:
    return {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}


def _node_info(name: str, version: str) -> Document:
    return {
        "machineID": name,
        "systemUUID": name,
        "bootID": name,
        "kernelVersion": "simulator",
        "osImage": "simulator",
        "containerRuntimeVersion": "simulator://1",
        "kubeletVersion": f"v{version}",
        "kubeProxyVersion": "",
        "operatingSystem": "linux",
        "architecture": "amd64",
    }
