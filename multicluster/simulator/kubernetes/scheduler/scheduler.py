"""The loop that binds pods to nodes."""

from __future__ import annotations

import logging

from multicluster.simulator.clock import Clock
from multicluster.simulator.kubernetes.delays import PodDelays
from multicluster.simulator.kubernetes.deletion import DeleteOptions, Deletion
from multicluster.simulator.kubernetes.documents import Document, at, name_of, namespace_of, stamp, uid_of
from multicluster.simulator.kubernetes.events import SCHEDULER, EventRecorder
from multicluster.simulator.kubernetes.quantities import Quantities, pod_requests
from multicluster.simulator.kubernetes.resources import NODES, PODS
from multicluster.simulator.kubernetes.scheduler.fitting import TERMINAL, Placement, add, placement, usage
from multicluster.simulator.kubernetes.scheduler.preemption import preemption, priority
from multicluster.simulator.kubernetes.store import Store

_log = logging.getLogger(__name__)
_COMPONENT = SCHEDULER


class Scheduler:
    """Binds each pending pod to a node it fits on, and says why where there is none."""

    def __init__(self, store: Store, clock: Clock, events: EventRecorder, delays: PodDelays) -> None:
        self._store = store
        self._clock = clock
        self._events = events
        self._delays = delays
        self._deletion = Deletion(store)
        self._told: dict[str, str] = {}

    async def run(self) -> None:
        """Schedule whenever something has changed, until cancelled."""
        while True:
            self.schedule()
            await self._store.changed(self._store.version)
            await self._clock.sleep(self._delays.schedule)

    def schedule(self) -> None:
        """Go once through the pending pods. A pod that cannot be judged is reported; the others are not held up."""
        pods = self._store.all(PODS)
        waiting = [pod for pod in pods if _waits(pod)]
        if not waiting:
            self._told.clear()
            return
        nodes, taken = self._store.all(NODES), usage(pods)
        for pod in sorted(waiting, key=lambda pod: (-priority(pod), pod["metadata"]["creationTimestamp"])):
            try:
                self._place(pod, nodes, taken)
            except Exception as error:  # noqa: BLE001 - the loop goes on; the error is reported on the pod
                _log.exception("pod %s/%s cannot be scheduled", namespace_of(pod), name_of(pod))
                self._tell(pod, f"running filter plugins failed: {error}", "SchedulerError")

    def _place(self, pod: Document, nodes: list[Document], taken: dict[str, Quantities]) -> None:
        living = [other for other in self._store.all(PODS) if at(other, "status", "phase") not in TERMINAL]
        verdict = placement(pod, nodes, taken, living)
        if not verdict.node:
            self._tell(pod, verdict.reason, "Unschedulable")
            self._make_room(pod, nodes)
            return
        self._bind(pod, verdict)
        add(taken.setdefault(verdict.node, {}), pod_requests(pod))

    def _make_room(self, pod: Document, nodes: list[Document]) -> None:
        """Evict pods of lower priority where that helps, once."""
        way = preemption(pod, nodes, self._store.all(PODS))
        if way is None or at(pod, "status", "nominatedNodeName"):
            return

        def nominate(edited: Document) -> None:
            edited["status"]["nominatedNodeName"] = way.node

        self._store.change(PODS, namespace_of(pod), name_of(pod), nominate, uid_of(pod))
        for victim in way.victims:
            self._evict(victim, f"Preempted by pod {uid_of(pod)} on node {way.node}")

    def _evict(self, victim: Document, message: str) -> None:
        place = (PODS, namespace_of(victim), name_of(victim))
        condition = {
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "PreemptionByScheduler",
            "message": f"{_COMPONENT}: preempting to accommodate a higher priority pod",
            "lastTransitionTime": stamp(self._clock.now()),
        }
        self._store.change(*place, lambda edited: set_condition(edited, condition))
        self._events.normal(victim, "Preempted", message, _COMPONENT)
        self._deletion.delete(*place, DeleteOptions())

    def _bind(self, pod: Document, verdict: Placement) -> None:
        now = stamp(self._clock.now())
        self._told.pop(uid_of(pod), None)

        def bind(edited: Document) -> None:
            edited["spec"]["nodeName"] = verdict.node
            set_condition(edited, {"type": "PodScheduled", "status": "True", "lastTransitionTime": now})

        bound = self._store.change(PODS, namespace_of(pod), name_of(pod), bind, uid_of(pod))
        message = f"Successfully assigned {namespace_of(pod)}/{name_of(pod)} to {verdict.node}"
        self._events.normal(bound, "Scheduled", message, _COMPONENT)

    def _tell(self, pod: Document, message: str, reason: str) -> None:
        if self._told.get(uid_of(pod)) == message:
            return
        self._told[uid_of(pod)] = message
        now = stamp(self._clock.now())
        condition = {
            "type": "PodScheduled",
            "status": "False",
            "reason": reason,
            "message": message,
            "lastTransitionTime": now,
        }
        changed = self._store.change(
            PODS, namespace_of(pod), name_of(pod), lambda edited: set_condition(edited, condition), uid_of(pod)
        )
        self._events.warning(changed, "FailedScheduling", message, _COMPONENT)


def set_condition(document: Document, condition: Document) -> None:
    """Put a condition into an object's status in place of the one of the same type."""
    status = document.setdefault("status", {})
    others = [known for known in status.get("conditions") or [] if known["type"] != condition["type"]]
    status["conditions"] = [*others, {"lastProbeTime": None, **condition}]


def _waits(pod: Document) -> bool:
    return (
        not at(pod, "spec", "nodeName")
        and "deletionTimestamp" not in pod["metadata"]
        and at(pod, "status", "phase") == "Pending"
        and at(pod, "spec", "schedulerName") == _COMPONENT
        and not at(pod, "spec", "schedulingGates")
    )
