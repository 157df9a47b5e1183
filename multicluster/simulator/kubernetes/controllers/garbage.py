"""The garbage collectors: dependants of deleted owners, and pods of nodes that no longer exist."""

from __future__ import annotations

import asyncio
import logging

from multicluster.simulator.kubernetes.deletion import DeleteOptions, Deletion
from multicluster.simulator.kubernetes.documents import Document, at, name_of, namespace_of, stamp, uid_of
from multicluster.simulator.kubernetes.resources import NODES, PODS
from multicluster.simulator.kubernetes.scheduler.scheduler import set_condition
from multicluster.simulator.kubernetes.status import ApiError
from multicluster.simulator.kubernetes.store import Change, Store

_log = logging.getLogger(__name__)


class OwnerCollector:
    """Deletes what a deleted object owned."""

    def __init__(self, store: Store, deletion: Deletion) -> None:
        self._store = store
        self._deletion = deletion
        self._owners: set[str] = set()
        store.subscribe(self._changed)

    def orphan(self, owner: Document) -> None:
        """Take an owner's reference off its dependants, so that its deletion spares them."""
        uid = uid_of(owner)
        for resource, document in list(self._store.namespaced(namespace_of(owner))):
            if _owned_by(document, uid):
                self._store.change(
                    resource, namespace_of(document), name_of(document), lambda edited: _disown(edited, uid)
                )

    def _changed(self, change: Change) -> None:
        uid = uid_of(change.document)
        if change.type != "DELETED":
            self._owners.update(str(owner.get("uid")) for owner in _owners(change.document))
            return
        if uid not in self._owners:
            return
        self._owners.discard(uid)
        dependants = [
            (resource, document)
            for resource, document in self._store.namespaced(namespace_of(change.document))
            if _owned_by(document, uid)
        ]
        for resource, document in dependants:
            self._deletion.delete(resource, namespace_of(document), name_of(document), DeleteOptions())


class OrphanCollector:
    """Fails and deletes the pods of a vanished node, after the delay a real pod collector waits."""

    def __init__(self, store: Store, delay: float) -> None:
        self._store = store
        self._delay = delay
        self._tasks: set[asyncio.Task[None]] = set()
        store.subscribe(self._changed)

    def stop(self) -> None:
        """Collect no more."""
        for task in self._tasks:
            task.cancel()

    def _changed(self, change: Change) -> None:
        if change.resource is NODES and change.type == "DELETED":
            node = name_of(change.document)
            pods = [pod for pod in self._store.all(PODS) if at(pod, "spec", "nodeName") == node]
            task = asyncio.ensure_future(self._collect(pods))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _collect(self, pods: list[Document]) -> None:
        await self._store.clock.sleep(self._delay)
        for pod in pods:
            self._end(pod)

    def _end(self, pod: Document) -> None:
        now = stamp(self._store.clock.now())
        condition = {
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "DeletionByPodGC",
            "message": "PodGC: node no longer exists",
            "lastTransitionTime": now,
        }

        def fail(edited: Document) -> None:
            if at(edited, "status", "phase") not in ("Succeeded", "Failed"):
                edited["status"]["phase"] = "Failed"
                set_condition(edited, condition)

        try:
            self._store.change(PODS, namespace_of(pod), name_of(pod), fail, uid_of(pod))
            self._store.remove(PODS, namespace_of(pod), name_of(pod))
        except ApiError as error:
            _log.debug("pod %s was gone before it was collected: %s", name_of(pod), error)


def _owned_by(document: Document, uid: str) -> bool:
    return any(owner.get("uid") == uid for owner in _owners(document))


def _owners(document: Document) -> list[Document]:
    return list(at(document, "metadata", "ownerReferences", default=[]))


def _disown(document: Document, uid: str) -> None:
    owners = document["metadata"]["ownerReferences"]
    document["metadata"]["ownerReferences"] = [owner for owner in owners if owner.get("uid") != uid]
