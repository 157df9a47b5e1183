"""Single objects and collections: create, get, update, patch, delete."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from multicluster.simulator.kubernetes.admission import Admission
from multicluster.simulator.kubernetes.api.bodies import body, document
from multicluster.simulator.kubernetes.api.listing import listed
from multicluster.simulator.kubernetes.api.new_events import kept, shown
from multicluster.simulator.kubernetes.api.request_info import RequestInfo
from multicluster.simulator.kubernetes.controllers.garbage import OwnerCollector
from multicluster.simulator.kubernetes.deletion import DeleteOptions, Deletion
from multicluster.simulator.kubernetes.documents import Document, at, name_of, namespace_of, stamp
from multicluster.simulator.kubernetes.patches import patched
from multicluster.simulator.kubernetes.resources import EVENTS, NAMESPACES, PODS, Resource, stored
from multicluster.simulator.kubernetes.scheduler.scheduler import set_condition
from multicluster.simulator.kubernetes.status import ApiError, conflict
from multicluster.simulator.kubernetes.store import Store


class Objects:
    """What the API server does to objects. Each method returns the document to answer with."""

    def __init__(self, store: Store, admission: Admission, deletion: Deletion, owners: OwnerCollector) -> None:
        self._store = store
        self._admission = admission
        self._deletion = deletion
        self._owners = owners

    def get(self, resource: Resource, info: RequestInfo) -> Document:
        """Return one object."""
        return shown(resource, self._store.get(stored(resource), _place(resource, info), info.name))

    async def create(self, resource: Resource, info: RequestInfo, request: web.BaseRequest) -> Document:
        """Create what was posted."""
        sent = kept(resource, await document(request))
        if resource.namespaced and info.namespace is None:
            raise ApiError(405, "the server does not allow this method on the requested resource", details={})
        namespace = _place(resource, info)
        new = self._admission.new(stored(resource), namespace, sent)
        if stored(resource) is EVENTS:
            new.setdefault("type", "Normal")
        if _dry(request):
            return shown(resource, {**new, "metadata": {**new["metadata"], "creationTimestamp": self._now()}})
        return shown(resource, self._store.create(stored(resource), new))

    async def update(self, resource: Resource, info: RequestInfo, request: web.BaseRequest) -> Document:
        """Replace an object, or its status."""
        sent = kept(resource, await document(request))
        return self._write(resource, info, request, lambda _current: sent)

    async def patch(self, resource: Resource, info: RequestInfo, request: web.BaseRequest) -> Document:
        """Patch an object, or its status."""
        sent, content_type = await body(request), request.content_type
        return self._write(resource, info, request, lambda current: patched(current, sent, content_type))

    async def delete(self, resource: Resource, info: RequestInfo, request: web.BaseRequest) -> Document:
        """Delete an object: what has a way to go is returned, what is gone at once gives a Status."""
        options = _options(request, await body(request))
        kept_as = stored(resource)
        current = self._store.get(kept_as, _place(resource, info), info.name)
        if _dry(request):
            return current
        if options.propagation == "Orphan":
            self._owners.orphan(current)
        state, gone = self._deletion.delete(kept_as, _place(resource, info), info.name, options)
        if not gone or resource is PODS:
            return shown(resource, state)
        details: Document = {"name": info.name, "kind": resource.plural, "uid": state["metadata"]["uid"]}
        if resource.group:
            details["group"] = resource.group
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}

    async def delete_collection(self, resource: Resource, info: RequestInfo, request: web.BaseRequest) -> Document:
        """Delete everything selected and return it as a list."""
        if resource is NAMESPACES:
            raise ApiError(405, "the server does not allow this method on the requested resource", details={})
        options = _options(request, await body(request))
        found = listed(self._store, resource, info.namespace, request.query)
        for item in [] if _dry(request) else found["items"]:
            if self._store.find(stored(resource), namespace_of(item), name_of(item)) is not None:
                self._deletion.delete(stored(resource), namespace_of(item), name_of(item), options)
        return found

    async def evict(self, info: RequestInfo, request: web.BaseRequest) -> Document:
        """Delete a pod as its eviction asks."""
        sent = await document(request)
        options = _options(request, sent.get("deleteOptions"))
        self._deletion.delete(PODS, info.namespace or "", info.name, options)
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}

    async def bind(self, info: RequestInfo, request: web.BaseRequest) -> Document:
        """Bind a pod to a node, as another scheduler does."""
        node = str(at(await document(request), "target", "name", default=""))
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
            sent = {**current, "metadata": sent.get("metadata") or {}, "status": sent.get("status") or {}}
            for field in ("labels", "annotations", "finalizers", "ownerReferences"):
                sent["metadata"] = {**sent["metadata"]}
                sent["metadata"].pop(field, None)
                if field in current["metadata"]:
                    sent["metadata"][field] = current["metadata"][field]
        elif "status" in kept_as.subresources:
            sent = {**sent, "status": current.get("status") or {}}
        new = self._admission.changed(kept_as, current, sent)
        if _dry(request):
            return shown(resource, new)
        written = self._store.replace(kept_as, new)
        self._deletion.finish(kept_as, written)
        return shown(resource, written)

    def _now(self) -> str:
        return stamp(self._store.clock.now())


def _place(resource: Resource, info: RequestInfo) -> str:
    return (info.namespace or "") if resource.namespaced else ""


def _dry(request: web.BaseRequest) -> bool:
    return "All" in request.query.getall("dryRun", [])


def _options(request: web.BaseRequest, sent: Any) -> DeleteOptions:
    """Read delete options from a body or, where that says nothing, from the query. Raises `ApiError` 400."""
    options = sent if isinstance(sent, dict) else {}
    preconditions = options.get("preconditions") or {}
    grace = options.get("gracePeriodSeconds")
    if grace is None:
        grace = request.query.get("gracePeriodSeconds")
    orphans = options.get("orphanDependents")
    propagation = options.get("propagationPolicy") or request.query.get("propagationPolicy") or ""
    try:
        seconds = None if grace is None else int(grace)
    except ValueError as error:
        raise ApiError(400, f"invalid gracePeriodSeconds: {grace!r}") from error
    return DeleteOptions(
        grace=seconds,
        uid=preconditions.get("uid") or "",
        resource_version=preconditions.get("resourceVersion") or "",
        propagation="Orphan" if orphans else propagation,
    )
