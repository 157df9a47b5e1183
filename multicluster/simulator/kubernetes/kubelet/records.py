"""What a kubelet knows of a pod's containers, and the pod status that follows from it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from multicluster.simulator.kubernetes.documents import Document
from multicluster.simulator.kubernetes.kubelet.log_buffer import LogBuffer
from multicluster.simulator.kubernetes.kubelet.running import Running

Role = Literal["init", "sidecar", "main"]
_RUNTIME = "simulator"
ENDED = ("Succeeded", "Failed")


@dataclass(kw_only=True)
class ContainerRecord:
    """One container of a pod: its state as Kubernetes writes it, and what runs for it now."""

    spec: Document
    role: Role
    state: Document
    last_state: Document = field(default_factory=dict)
    restarts: int = 0
    container_id: str = ""
    running: Running | None = None
    log: LogBuffer | None = None
    previous_log: LogBuffer | None = None

    @property
    def name(self) -> str:
        """The container's name."""
        return str(self.spec["name"])

    @property
    def terminated(self) -> Document | None:
        """Its end, if it has come to one."""
        return self.state.get("terminated")

    @property
    def succeeded(self) -> bool:
        """Whether it has ended with 0."""
        return self.terminated is not None and self.terminated["exitCode"] == 0

    @property
    def ready(self) -> bool:
        """Whether it counts as ready: a container that runs, an init container that is done."""
        return self.succeeded if self.role == "init" else "running" in self.state

    def status(self) -> Document:
        """Return the `ContainerStatus`."""
        image = str(self.spec.get("image", ""))
        return {
            "name": self.name,
            "state": self.state,
            "lastState": self.last_state,
            "ready": self.ready,
            "started": "running" in self.state,
            "restartCount": self.restarts,
            "image": image,
            "imageID": f"{_RUNTIME}/{image}" if self.container_id else "",
            **({"containerID": f"{_RUNTIME}://{self.container_id}"} if self.container_id else {}),
        }


def phase(records: Iterable[ContainerRecord], restart_policy: str) -> str:
    """Return a pod's phase (kubernetes/pkg/kubelet `getPhase`)."""
    every = list(records)
    for record in every:
        if record.role == "init" and not record.succeeded:
            return "Failed" if record.terminated and restart_policy == "Never" else "Pending"
    mains = [record for record in every if record.role == "main"]
    if any("waiting" in record.state and not record.last_state for record in mains):
        return "Pending"
    stopped = [record for record in mains if "running" not in record.state]
    sidecars = any(record.role == "sidecar" and "running" in record.state for record in every)
    if len(stopped) < len(mains) or restart_policy == "Always" or sidecars:
        return "Running"
    if all(record.succeeded for record in mains):
        return "Succeeded"
    return "Failed" if restart_policy == "Never" else "Running"


def conditions(
    records: list[ContainerRecord], phase: str, previous: list[Document], now: str, *, sandbox: bool
) -> list[Document]:
    """Return a pod's conditions; those whose status stays keep the time of their last transition."""
    unready = [record.name for record in records if record.role == "main" and not record.ready]
    known = {condition["type"]: condition for condition in previous}
    if phase == "Succeeded":
        readiness: dict[str, Any] = {"status": "False", "reason": "PodCompleted"}
    elif phase == "Failed":
        readiness = {"status": "False", "reason": "PodFailed"}
    else:
        readiness = _verdict(unready, "ContainersNotReady", "containers with unready status")
    wanted = {
        "PodReadyToStartContainers": {"status": "True" if sandbox and phase not in ENDED else "False"},
        "Initialized": _initialized(records, phase),
        "Ready": readiness,
        "ContainersReady": readiness,
    }
    result = [_condition(kind, values, known.get(kind), now) for kind, values in wanted.items()]
    if "PodScheduled" not in known:  # it was bound by whoever created it
        result.append(_condition("PodScheduled", {"status": "True"}, None, now))
    return [*result, *(condition for kind, condition in known.items() if kind not in wanted)]


def _initialized(records: list[ContainerRecord], phase: str) -> Document:
    if phase == "Succeeded":
        return {"status": "True", "reason": "PodCompleted"}
    if any(record.role == "main" and ("waiting" not in record.state or record.last_state) for record in records):
        return {"status": "True"}
    missing = [record.name for record in records if record.role != "main" and not (record.ready or record.succeeded)]
    return _verdict(missing, "ContainersNotInitialized", "containers with incomplete status")


def _verdict(culprits: list[str], reason: str, message: str) -> Document:
    if not culprits:
        return {"status": "True"}
    return {"status": "False", "reason": reason, "message": f"{message}: [{' '.join(culprits)}]"}


def _condition(kind: str, values: Document, known: Document | None, now: str) -> Document:
    same = known is not None and known["status"] == values["status"]
    since = known["lastTransitionTime"] if known is not None and same else now
    return {"type": kind, "lastProbeTime": None, "lastTransitionTime": since, **values}
