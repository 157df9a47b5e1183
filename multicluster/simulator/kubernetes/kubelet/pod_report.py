"""What a kubelet reports about one pod: its status and its events."""

from __future__ import annotations

from multicluster.simulator.kubernetes.documents import Document, name_of, namespace_of, stamp, uid_of
from multicluster.simulator.kubernetes.kubelet import records as judged
from multicluster.simulator.kubernetes.kubelet.node_services import NodeServices
from multicluster.simulator.kubernetes.kubelet.records import ContainerRecord
from multicluster.simulator.kubernetes.resources import PODS
from multicluster.simulator.kubernetes.status import ApiError


class PodReport:
    """The pod as it was read last, its containers' records, and the way both get into the store."""

    def __init__(self, services: NodeServices, pod: Document) -> None:
        self.pod = pod
        self.records = [_record(container, init=True) for container in pod["spec"].get("initContainers") or []]
        self.records += [_record(container, init=False) for container in pod["spec"]["containers"]]
        if any(record.role != "main" for record in self.records):
            for record in self.records:
                record.state = {"waiting": {"reason": "PodInitializing"}}
        self.silent = False
        self._services = services
        self._forced: Document = {}

    @property
    def now(self) -> str:
        """The present moment, as Kubernetes writes it."""
        return stamp(self._services.clock.now())

    @property
    def where(self) -> str:
        """The pod as a kubelet's messages name it."""
        return f"{name_of(self.pod)}_{namespace_of(self.pod)}({uid_of(self.pod)})"

    def force(self, **status: object) -> None:
        """Set members of the status that do not follow from the containers."""
        self._forced.update(status)

    def publish(self) -> None:
        """Write what is known as the pod's status. A pod that is gone, or a node that is, reports nothing."""
        if self.silent:
            return
        policy = str(self.pod["spec"].get("restartPolicy"))
        phase = str(self._forced.get("phase") or judged.phase(self.records, policy))

        def write(pod: Document) -> None:
            status = pod.setdefault("status", {})
            known = status.get("conditions") or []
            conditions = judged.conditions(self.records, phase, known, self.now, sandbox="podIP" in self._forced)
            status.update(self._forced, phase=phase, conditions=conditions)
            inits = [record.status() for record in self.records if record.role != "main"]
            if inits:
                status["initContainerStatuses"] = inits
            status["containerStatuses"] = [record.status() for record in self.records if record.role == "main"]

        try:
            self.pod = self._services.store.change(
                PODS, namespace_of(self.pod), name_of(self.pod), write, uid_of(self.pod)
            )
        except ApiError:
            return

    def say(self, reason: str, message: str, record: ContainerRecord | None = None) -> None:
        """Record a normal event, about a container if there is one."""
        if not self.silent:
            self._services.events.normal(self.pod, reason, message, "kubelet", _path(record))

    def warn(self, reason: str, message: str, record: ContainerRecord | None = None) -> None:
        """Record a warning, about a container if there is one."""
        if not self.silent:
            self._services.events.warning(self.pod, reason, message, "kubelet", _path(record))


def _path(record: ContainerRecord | None) -> str:
    if record is None:
        return ""
    return f"spec.{'containers' if record.role == 'main' else 'initContainers'}{{{record.name}}}"


def _record(container: Document, *, init: bool) -> ContainerRecord:
    sidecar = init and container.get("restartPolicy") == "Always"
    role: judged.Role = "sidecar" if sidecar else "init" if init else "main"
    return ContainerRecord(spec=container, role=role, state={"waiting": {"reason": "ContainerCreating"}})
