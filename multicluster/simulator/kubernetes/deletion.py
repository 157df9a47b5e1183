"""Deleting objects: grace periods of pods, finalizers, preconditions, namespaces that take their content along."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from multicluster.simulator.kubernetes.documents import Document, at, name_of, namespace_of, stamp
from multicluster.simulator.kubernetes.resources import NAMESPACES, NODES, PODS, Resource
from multicluster.simulator.kubernetes.status import conflict, forbidden
from multicluster.simulator.kubernetes.store import Store

_TERMINAL = ("Succeeded", "Failed")
_DEFAULT_GRACE = 30
ORPHAN, FOREGROUND = "orphan", "foregroundDeletion"
_FINALIZERS = {"Orphan": ORPHAN, "Foreground": FOREGROUND}
_KEPT = ("default", "kube-public", "kube-system")


@dataclass(frozen=True, kw_only=True)
class DeleteOptions:
    """What a client may say with a delete. `grace` None means the object's own; `dry`: nothing is done."""

    grace: int | None = None
    uid: str = ""
    resource_version: str = ""
    propagation: str = ""
    dry: bool = False


class Deletion:
    """Deletes objects of one store as an API server does."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def delete(self, resource: Resource, namespace: str, name: str, options: DeleteOptions) -> tuple[Document, bool]:
        """Delete an object, or begin to. Return its state and whether it is gone. Raises `ApiError` 404 and 409."""
        document = self._store.get(resource, namespace, name)
        self._check(resource, document, options)
        if resource is NAMESPACES and name in _KEPT:
            raise forbidden("namespaces", "", name, "this namespace may not be deleted")
        if options.dry:
            return document, resource not in (PODS, NAMESPACES)
        if resource is PODS:
            return self._delete_pod(document, options)
        finalizer = _FINALIZERS.get(options.propagation)
        if resource is NAMESPACES or finalizer or at(document, "metadata", "finalizers"):
            return self._mark(resource, document, 0, finalizer), False
        return self._store.remove(resource, namespace, name), True

    def finish(self, resource: Resource, document: Document) -> bool:
        """Remove an object whose deletion has begun, unless finalizers hold it. Return whether it is gone.

        Called by whoever had to act first (the kubelet for pods), and after each update of an object.
        """
        namespace, name = namespace_of(document), name_of(document)
        current = self._store.find(resource, namespace, name)
        if current is None or current["metadata"]["uid"] != document["metadata"]["uid"]:
            return True
        if "deletionTimestamp" not in current["metadata"] or at(current, "metadata", "finalizers"):
            return False
        if resource is NAMESPACES or (resource is PODS and current["metadata"].get("deletionGracePeriodSeconds")):
            return False
        self._store.remove(resource, namespace, name)
        return True

    def pod_stopped(self, pod: Document) -> None:
        """Remove a pod being deleted whose containers have ended."""
        current = self._store.find(PODS, namespace_of(pod), name_of(pod))
        if current is not None and current["metadata"]["uid"] == pod["metadata"]["uid"]:
            if current["metadata"].get("deletionGracePeriodSeconds"):
                self._mark(PODS, current, 0)
            self.finish(PODS, pod)

    def _delete_pod(self, pod: Document, options: DeleteOptions) -> tuple[Document, bool]:
        grace = options.grace
        if grace is None:
            grace = int(at(pod, "spec", "terminationGracePeriodSeconds", default=_DEFAULT_GRACE))
        if grace < 0:
            grace = 1
        node = self._store.find(NODES, "", at(pod, "spec", "nodeName", default=""))
        if node is None or at(pod, "status", "phase") in _TERMINAL:
            grace = 0
        running = pod["metadata"].get("deletionGracePeriodSeconds")
        if running is not None and running <= grace:
            return pod, False
        if grace == 0 and not at(pod, "metadata", "finalizers"):
            last = self._store.remove(PODS, namespace_of(pod), name_of(pod))
            ended = {"deletionTimestamp": stamp(self._store.clock.now()), "deletionGracePeriodSeconds": 0}
            return {**last, "metadata": {**last["metadata"], **ended, "generation": _next_generation(last)}}, True
        return self._mark(PODS, pod, grace), False

    def _mark(self, resource: Resource, document: Document, grace: int, finalizer: str | None = None) -> Document:
        until = stamp(self._store.clock.now() + dt.timedelta(seconds=grace))

        def mark(edited: Document) -> None:
            edited["metadata"].setdefault("deletionTimestamp", until)
            if finalizer:
                edited["metadata"]["finalizers"] = [*edited["metadata"].get("finalizers", []), finalizer]
            if resource.generations and "deletionTimestamp" not in document["metadata"]:
                edited["metadata"]["generation"] = _next_generation(document)
            if resource is not NAMESPACES:
                edited["metadata"].setdefault("deletionGracePeriodSeconds", grace)
            if resource is PODS:
                edited["metadata"]["deletionTimestamp"] = until
                edited["metadata"]["deletionGracePeriodSeconds"] = grace
            if resource is NAMESPACES:
                edited["status"] = {**edited.get("status", {}), "phase": "Terminating"}

        return self._store.change(resource, namespace_of(document), name_of(document), mark)

    @staticmethod
    def _check(resource: Resource, document: Document, options: DeleteOptions) -> None:
        metadata = document["metadata"]
        for what, wanted, actual, then in (
            ("UID", options.uid, metadata["uid"], "deleted and then recreated"),
            ("ResourceVersion", options.resource_version, metadata["resourceVersion"], "modified"),
        ):
            if wanted and wanted != actual:
                why = (
                    f"the {what} in the precondition ({wanted}) does not match the {what} in record ({actual}). "
                    f"The object might have been {then}"
                )
                raise conflict(resource.kind, resource.group, metadata["name"], why)


def _next_generation(document: Document) -> int:
    return int(document["metadata"].get("generation", 0)) + 1
