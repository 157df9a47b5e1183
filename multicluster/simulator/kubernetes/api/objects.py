"""Single objects and collections: create, get, update, patch, delete."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from multicluster.simulator.kubernetes.admission import Admission
from multicluster.simulator.kubernetes.api.bodies import body, document
from multicluster.simulator.kubernetes.api.decoded import patched_object, sent_object, sent_patch
from multicluster.simulator.kubernetes.api.delete_options import delete_options
from multicluster.simulator.kubernetes.api.listing import listed
from multicluster.simulator.kubernetes.api.new_events import kept, shown
from multicluster.simulator.kubernetes.api.options import is_dry
from multicluster.simulator.kubernetes.api.request_info import RequestInfo
from multicluster.simulator.kubernetes.deletion import Deletion
from multicluster.simulator.kubernetes.documents import Document, at, name_of, namespace_of, stamp
from multicluster.simulator.kubernetes.resources import EVENTS, PODS, Resource, stored
from multicluster.simulator.kubernetes.scheduler.scheduler import set_condition
from multicluster.simulator.kubernetes.status import ApiError, conflict, method_not_allowed
from multicluster.simulator.kubernetes.store import Store

_OWN_METADATA = ("labels", "annotations", "finalizers", "ownerReferences")


class Objects:
    """What the API server does to objects. Each method returns the document to answer with."""

    def __init__(self, store: Store, admission: Admission, deletion: Deletion) -> None:
        self._store = store
        self._admission = admission
        self._deletion = deletion

    def get(self, resource: Resource, info: RequestInfo) -> Document:
        """Return one object."""
        return shown(resource, self._store.get(stored(resource), _place(resource, info), info.name))

    async def create(
        self, resource: Resource, info: RequestInfo, request: web.BaseRequest, warnings: list[str]
    ) -> Document:
        """Create what was posted."""
        if resource.namespaced and info.namespace is None:
            raise method_not_allowed()
        sent = kept(resource, await sent_object(resource, request, warnings))
        namespace = _place(resource, info)
        new = self._admission.new(stored(resource), namespace, sent)
        if stored(resource) is EVENTS:
            new.setdefault("type", "Normal")
        return shown(resource, self._store.create(stored(resource), new, dry=is_dry(request.query)))

    async def update(
        self, resource: Resource, info: RequestInfo, request: web.BaseRequest, warnings: list[str]
    ) -> Document:
        """Replace an object, or its status."""
        sent = kept(resource, await sent_object(resource, request, warnings))
        if not sent.get("metadata", {}).get("name"):
            why = f"the name of the object ({info.name} based on URL) was undeterminable: name must be provided"
            raise ApiError(400, why)
        return self._write(resource, info, request, lambda _current: sent)

    async def patch(
        self, resource: Resource, info: RequestInfo, request: web.BaseRequest, warnings: list[str]
    ) -> Document:
        """Patch an object, or its status."""
        sent = await sent_patch(request)

        def change(current: Document) -> Document:
            return kept(resource, patched_object(resource, shown(resource, current), sent, request, warnings))

        return self._write(resource, info, request, change)

    async def delete(self, resource: Resource, info: RequestInfo, request: web.BaseRequest) -> Document:
        """Delete an object: what has a way to go is returned, what is gone at once gives a Status."""
        options = delete_options(request, await body(request))
        kept_as = stored(resource)
        state, gone = self._deletion.delete(kept_as, _place(resource, info), info.name, options)
        if not gone or resource is PODS:
            return shown(resource, state)
        details: Document = {"name": info.name, "kind": resource.plural, "uid": state["metadata"]["uid"]}
        if resource.group:
            details["group"] = resource.group
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}

    async def delete_collection(self, resource: Resource, info: RequestInfo, request: web.BaseRequest) -> Document:
        """Delete everything selected and return it as a list."""
        options = delete_options(request, await body(request))
        found = listed(self._store, resource, info.namespace, request.query)
        for item in [] if options.dry else found["items"]:
            if self._store.find(stored(resource), namespace_of(item), name_of(item)) is not None:
                self._deletion.delete(stored(resource), namespace_of(item), name_of(item), options)
        return found

    async def evict(self, info: RequestInfo, request: web.BaseRequest) -> Document:
        """Delete a pod as its eviction asks."""
        sent = await document(request, "Eviction")
        options, place = delete_options(request, sent.get("deleteOptions")), (PODS, info.namespace or "", info.name)
        pod = self._store.get(*place)
        if not options.dry:
            if at(pod, "status", "phase") not in ("Succeeded", "Failed"):
                condition = {
                    "type": "DisruptionTarget",
                    "status": "True",
                    "reason": "EvictionByEvictionAPI",
                    "message": "Eviction API: evicting",
                    "lastTransitionTime": self._now(),
                }
                self._store.change(*place, lambda edited: set_condition(edited, condition))
            self._deletion.delete(*place, options)
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}

    async def bind(self, info: RequestInfo, request: web.BaseRequest) -> Document:
        """Bind a pod to a node, as another scheduler does."""
        node = str(at(await document(request, "Binding"), "target", "name", default=""))
        if not node:
            raise ApiError(400, "target.name is required")

        def edit(pod: Document) -> None:
            if at(pod, "spec", "nodeName"):
                why = f'pod {info.name} is already assigned to node "{pod["spec"]["nodeName"]}"'
                raise conflict("pods/binding", "", info.name, why)
            pod["spec"]["nodeName"] = node
            set_condition(pod, {"type": "PodScheduled", "status": "True", "lastTransitionTime": self._now()})

        self._store.change(PODS, info.namespace or "", info.name, edit)
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}

    def _write(self, resource: Resource, info: RequestInfo, request: web.BaseRequest, change: Any) -> Document:
        kept_as = stored(resource)
        current = self._store.get(kept_as, _place(resource, info), info.name)
        sent: Document = change(current)
        if info.subresource == "status":
            sent = self._with_status(kept_as, current, sent)
        elif "status" in kept_as.subresources:
            sent = {**sent, "status": current.get("status") or {}}
        new = self._admission.changed(kept_as, current, sent)
        if is_dry(request.query):
            return shown(resource, new)
        written = self._store.replace(kept_as, new)
        self._deletion.finish(kept_as, written)
        return shown(resource, written)

    @staticmethod
    def _with_status(resource: Resource, current: Document, sent: Document) -> Document:
        """Return the current object with a status that was sent, and for pods with labels and annotations too."""
        metadata = {**(sent.get("metadata") or {})}
        fixed = ("finalizers", "ownerReferences") if resource is PODS else _OWN_METADATA
        for field in fixed:
            metadata.pop(field, None)
            if field in current["metadata"]:
                metadata[field] = current["metadata"][field]
        status = sent.get("status") or {}
        if resource is PODS:
            status = {**status, "qosClass": at(current, "status", "qosClass")}
        return {**current, "metadata": metadata, "status": status}

    def _now(self) -> str:
        return stamp(self._store.clock.now())


def _place(resource: Resource, info: RequestInfo) -> str:
    return (info.namespace or "") if resource.namespaced else ""
