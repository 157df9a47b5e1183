"""The garbage collectors: dependants of deleted owners, and pods of nodes that no longer exist."""

from __future__ import annotations

import asyncio
import logging

from multicluster.simulator.kubernetes.deletion import FOREGROUND, ORPHAN, DeleteOptions, Deletion
from multicluster.simulator.kubernetes.documents import Document, at, name_of, namespace_of, stamp, uid_of
from multicluster.simulator.kubernetes.resources import NODES, PODS, Resource
from multicluster.simulator.kubernetes.scheduler.scheduler import set_condition
from multicluster.simulator.kubernetes.status import ApiError
from multicluster.simulator.kubernetes.store import Change, Store

_log = logging.getLogger(__name__)


class OwnerCollector:
    """Deletes what no owner is left of, as an owner's finalizer or the end of the last owner asks."""

    def __init__(self, store: Store, deletion: Deletion) -> None:
        self._store = store
        self._deletion = deletion
        store.subscribe(self._changed)

    def _changed(self, change: Change) -> None:
        document = change.document
        if change.type == "DELETED":
            self._gone(document)
        elif _owners(document) and "deletionTimestamp" not in document["metadata"]:
            self._judge(change.resource, document)
        elif "deletionTimestamp" in document["metadata"]:
            self._finalize(change.resource, document)

    def _gone(self, document: Document) -> None:
        for resource, dependant in self._dependants(document):
            self._judge(resource, dependant)
        for owner in _owners(document):
            for resource, waiting in list(self._store.namespaced(namespace_of(document))):
                if uid_of(waiting) == owner.get("uid"):
                    self._finalize(resource, waiting)

    def _judge(self, resource: Resource, dependant: Document) -> None:
        """Delete an object without a living owner; take references to the dead off one that has another."""
        living = [owner for owner in _owners(dependant) if self._lives(str(owner.get("uid")), dependant)]
        if not living:
            self._deletion.delete(resource, namespace_of(dependant), name_of(dependant), DeleteOptions())
        elif len(living) < len(_owners(dependant)):
            self._own(resource, dependant, living)

    def _finalize(self, resource: Resource, owner: Document) -> None:
        """Do what a propagation policy has left to be done before an owner goes."""
        finalizers, dependants = at(owner, "metadata", "finalizers", default=[]), self._dependants(owner)
        if ORPHAN in finalizers:
            for kind, dependant in dependants:
                self._own(kind, dependant, [o for o in _owners(dependant) if o.get("uid") != uid_of(owner)])
        elif FOREGROUND in finalizers and dependants:
            for kind, dependant in dependants:
                if "deletionTimestamp" not in dependant["metadata"]:
                    self._deletion.delete(kind, namespace_of(dependant), name_of(dependant), DeleteOptions())
            return
        if ORPHAN in finalizers or FOREGROUND in finalizers:
            self._release(resource, owner)

    def _release(self, resource: Resource, owner: Document) -> None:
        def release(edited: Document) -> None:
            left = [f for f in edited["metadata"].get("finalizers", []) if f not in (ORPHAN, FOREGROUND)]
            edited["metadata"]["finalizers"] = left

        if self._store.find(resource, namespace_of(owner), name_of(owner)) is not None:
            changed = self._store.change(resource, namespace_of(owner), name_of(owner), release)
            self._deletion.finish(resource, changed)

    def _own(self, resource: Resource, dependant: Document, owners: list[Document]) -> None:
        def own(edited: Document) -> None:
            edited["metadata"]["ownerReferences"] = owners
            if not owners:
                del edited["metadata"]["ownerReferences"]

        self._store.change(resource, namespace_of(dependant), name_of(dependant), own)

    def _dependants(self, owner: Document) -> list[tuple[Resource, Document]]:
        uid = uid_of(owner)
        return [
            (resource, document)
            for resource, document in self._store.namespaced(namespace_of(owner))
            if any(reference.get("uid") == uid for reference in _owners(document))
        ]

    def _lives(self, uid: str, dependant: Document) -> bool:
        return self._store.holds(uid, namespace_of(dependant))


class OrphanCollector:
    """Fails and deletes the pods of a vanished node, after the delay a real pod collector waits."""

    def __init__(self, store: Store, delay: float) -> None:
        self._store = store
        self._deletion = Deletion(store)
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
            self._deletion.delete(PODS, namespace_of(pod), name_of(pod), DeleteOptions(grace=0))
        except ApiError as error:
            _log.debug("pod %s was gone before it was collected: %s", name_of(pod), error)


def _owners(document: Document) -> list[Document]:
    return list(at(document, "metadata", "ownerReferences", default=[]))
