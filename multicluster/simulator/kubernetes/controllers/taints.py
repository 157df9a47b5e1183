"""The taint eviction controller: pods leave nodes whose `NoExecute` taints they do not tolerate (any longer)."""

from __future__ import annotations

import asyncio
import datetime as dt

from multicluster.simulator.kubernetes.deletion import DeleteOptions, Deletion
from multicluster.simulator.kubernetes.documents import Document, at, name_of, namespace_of, stamp, uid_of
from multicluster.simulator.kubernetes.events import EventRecorder
from multicluster.simulator.kubernetes.resources import NODES, PODS
from multicluster.simulator.kubernetes.scheduler.fitting import tolerated
from multicluster.simulator.kubernetes.scheduler.scheduler import set_condition
from multicluster.simulator.kubernetes.store import Change, Store

_COMPONENT = "taint-eviction-controller"


def tolerated_seconds(pod: Document, node: Document) -> float | None:
    """Return how long a pod may stay on a node: None for ever, 0 not at all."""
    seconds: list[float] = []
    for taint in at(node, "spec", "taints", default=[]):
        if taint.get("effect") != "NoExecute":
            continue
        matching = [t for t in at(pod, "spec", "tolerations", default=[]) if tolerated(taint, [t])]
        if not matching:
            return 0.0
        seconds += [float(t["tolerationSeconds"]) for t in matching if t.get("tolerationSeconds") is not None]
    return min(seconds, default=None)


class TaintEviction:
    """Starts a timer for each pod that may not stay, and evicts it unless the taint has gone by then."""

    def __init__(self, store: Store, deletion: Deletion, events: EventRecorder) -> None:
        self._store = store
        self._deletion = deletion
        self._events = events
        self._timers: dict[str, asyncio.Task[None]] = {}
        store.subscribe(self._changed)

    def stop(self) -> None:
        """Evict no more."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _changed(self, change: Change) -> None:
        if change.resource is NODES and change.type == "MODIFIED":
            if _taints(change.document) != _taints(change.previous):
                for pod in self._store.all(PODS):
                    if at(pod, "spec", "nodeName") == name_of(change.document):
                        self._consider(pod, change.document)
        elif change.resource is PODS and change.type != "DELETED":
            bound = at(change.document, "spec", "nodeName")
            if bound and at(change.previous or {}, "spec", "nodeName") != bound:
                node = self._store.find(NODES, "", bound)
                if node is not None:
                    self._consider(change.document, node)

    def _consider(self, pod: Document, node: Document) -> None:
        uid, seconds = uid_of(pod), tolerated_seconds(pod, node)
        timer = self._timers.get(uid)
        if seconds is None or "deletionTimestamp" in pod["metadata"]:
            if timer is not None:
                timer.cancel()
                del self._timers[uid]
        elif timer is None:
            self._timers[uid] = asyncio.ensure_future(
                self._evict(pod, self._store.clock.now() + dt.timedelta(seconds=seconds))
            )

    async def _evict(self, pod: Document, at_moment: dt.datetime) -> None:
        await self._store.clock.sleep((at_moment - self._store.clock.now()).total_seconds())
        self._timers.pop(uid_of(pod), None)
        current = self._store.find(PODS, namespace_of(pod), name_of(pod))
        if current is None or uid_of(current) != uid_of(pod):
            return
        condition = {
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "DeletionByTaintManager",
            "message": "Taint manager: deleting due to NoExecute taint",
            "lastTransitionTime": stamp(self._store.clock.now()),
        }
        self._events.normal(
            current, "TaintManagerEviction", f"Marking for deletion Pod {namespace_of(pod)}/{name_of(pod)}", _COMPONENT
        )
        self._store.change(PODS, namespace_of(pod), name_of(pod), lambda edited: set_condition(edited, condition))
        self._deletion.delete(PODS, namespace_of(pod), name_of(pod), DeleteOptions())


def _taints(node: Document | None) -> list[Document]:
    return [taint for taint in at(node, "spec", "taints", default=[]) if taint.get("effect") == "NoExecute"]
