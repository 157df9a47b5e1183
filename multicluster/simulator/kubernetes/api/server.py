"""The API server of one cluster: faults, authentication, authorization, and the way to whoever answers."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field, replace

from aiohttp import web

from multicluster.simulator.faults import Faults, HttpError, suffer
from multicluster.simulator.kubernetes.api import discovery, openapi, tables
from multicluster.simulator.kubernetes.api.authorization import Authorizer
from multicluster.simulator.kubernetes.api.bodies import answer, check_accept, document, refusal, warned
from multicluster.simulator.kubernetes.api.executing import serve_exec
from multicluster.simulator.kubernetes.api.listing import listed, without_kinds
from multicluster.simulator.kubernetes.api.logs import send_log
from multicluster.simulator.kubernetes.api.objects import Objects
from multicluster.simulator.kubernetes.api.request_info import RequestInfo, understood
from multicluster.simulator.kubernetes.api.reviews import reviewed
from multicluster.simulator.kubernetes.api.watching import Watch
from multicluster.simulator.kubernetes.documents import stamp
from multicluster.simulator.kubernetes.kubelet.kubelet import Kubelet
from multicluster.simulator.kubernetes.kubelet.node_services import NodeServices
from multicluster.simulator.kubernetes.resources import PODS, Resource
from multicluster.simulator.kubernetes.status import ApiError, forbidden, method_not_allowed, unknown_path
from multicluster.simulator.kubernetes.store import Store
from multicluster.simulator.kubernetes.users import ANONYMOUS, Authenticate, User

_log = logging.getLogger(__name__)
_STREAMS = ("exec", "log")
_AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_HEALTH = ("/healthz", "/livez", "/readyz")


@dataclass(kw_only=True)
class ApiServer:
    """Answers requests. `requests` counts them by verb and resource."""

    store: Store
    objects: Objects
    kubelet: Kubelet
    services: NodeServices
    authenticate: Authenticate
    faults: Faults
    authorizer: Authorizer
    version: str
    requests: Counter[tuple[str, str]] = field(default_factory=Counter)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request; never raises."""
        info = understood(request)
        self.requests[info.verb, info.target] += 1
        try:
            call = f"{info.verb} {info.target}"
            struck = self.faults.effects("kubernetes", call, info.path)
            if struck and (response := await suffer(struck, request, self.store.clock, _faulty)) is not None:
                return response
            answered = await self._answer(request, info)
            after = self.faults.effects("response:kubernetes", call, info.path)
            return await suffer(after, request, self.store.clock, _faulty) or answered
        except ApiError as error:
            return refusal(error)
        except ConnectionError:
            raise  # the client has gone; aiohttp knows what to do
        except Exception as error:  # noqa: BLE001 - a server goes on; the error is answered and logged
            _log.exception("%s %s failed", request.method, request.path_qs)
            return refusal(ApiError(500, f"Internal error occurred: {error}"))

    async def _answer(self, request: web.BaseRequest, info: RequestInfo) -> web.StreamResponse:
        user = self._user(request)
        self.authorizer.check(info, user)
        if info.resource is not None and info.subresource not in _STREAMS:
            check_accept(request)
        if not info.is_resource or info.resource is None:
            return await self._apart(request, info, user)
        if info.subresource and info.subresource not in info.resource.subresources:
            raise unknown_path()
        if info.resource is PODS and info.subresource in ("log", "exec", "eviction", "binding"):
            return await self._pod_subresource(request, info, user)
        return await self._object(request, info, info.resource)

    def _user(self, request: web.BaseRequest) -> User:
        header = request.headers.get("Authorization", "")
        if not header:
            return ANONYMOUS
        scheme, _, token = header.partition(" ")
        user = self.authenticate(token.strip()) if scheme.lower() == "bearer" else None
        if user is None:
            raise ApiError(401, "Unauthorized")
        return user

    async def _object(self, request: web.BaseRequest, info: RequestInfo, resource: Resource) -> web.StreamResponse:
        table = tables.wanted(request)
        if info.verb == "watch":
            render = tables.renderer(resource, request, self.store.clock.now) if table else None
            return await Watch(self.store, resource, info.namespace, request, render).run()
        if info.verb == "list":
            found = listed(self.store, resource, info.namespace, request.query)
            now = self.store.clock.now()
            return answer(tables.listed(resource, request, found, now) if table else without_kinds(found))
        if info.verb == "get":
            found = self.objects.get(resource, info)
            return answer(tables.single(resource, request, found, self.store.clock.now()) if table else found)
        return await self._change(request, info, resource)

    async def _change(self, request: web.BaseRequest, info: RequestInfo, resource: Resource) -> web.StreamResponse:
        if info.verb == "deletecollection" and info.verb in resource.verbs:
            return answer(without_kinds(await self.objects.delete_collection(resource, info, request)))
        if info.verb == "delete" and not info.subresource:
            return answer(await self.objects.delete(resource, info, request))
        act = {"update": self.objects.update, "patch": self.objects.patch}.get(info.verb)
        if info.verb == "create" and not info.name:
            act = self.objects.create
        if act is None:
            raise method_not_allowed()
        warnings: list[str] = []
        changed = await act(resource, info, request, warnings)
        return warned(answer(changed, 201 if info.verb == "create" else 200), warnings)

    async def _pod_subresource(self, request: web.BaseRequest, info: RequestInfo, user: User) -> web.StreamResponse:
        # Since 1.35 a websocket needs the right to create, too.
        if info.subresource == "exec" and not self.authorizer.allows(replace(info, verb="create"), user):
            raise forbidden("pods", "", info.name, "")
        pod = self.store.get(PODS, info.namespace or "", info.name)
        if info.subresource == "log" and info.verb == "get":
            return await send_log(request, self.kubelet, pod, self.store)
        if info.subresource == "exec" and info.verb in ("get", "create"):
            return await serve_exec(request, self.kubelet, self.services, pod)
        if info.subresource == "eviction" and info.verb == "create":
            return answer(await self.objects.evict(info, request), 201)
        if info.subresource == "binding" and info.verb == "create":
            return answer(await self.objects.bind(info, request), 201)
        raise method_not_allowed()

    async def _apart(self, request: web.BaseRequest, info: RequestInfo, user: User) -> web.StreamResponse:
        if info.plural in discovery.reviews_of(info.group):
            if info.verb != "create":
                raise method_not_allowed()
            now = stamp(self.store.clock.now())
            return answer(reviewed(info.plural, await document(request, info.plural), user, self.authorizer, now), 201)
        if request.method != "GET" and not info.is_resource:
            raise method_not_allowed()
        return self._described(request, info.path.rstrip("/"))

    def _described(self, request: web.BaseRequest, path: str) -> web.StreamResponse:
        if path.startswith(_HEALTH):
            return web.Response(text="ok", headers={"X-Content-Type-Options": "nosniff"})
        if path.startswith("/openapi/v3"):
            return openapi.answered(path)
        if path in ("/api", "/apis") and _AGGREGATED in request.headers.get("Accept", ""):
            return answer(discovery.aggregated(core=path == "/api"), media_type=_AGGREGATED)
        found = discovery.described(path, self.version) if request.method == "GET" else None
        if found is not None:
            return answer(found)
        group = path.split("/")[2] if path.startswith("/apis/") else ""
        if path.startswith("/api/") or discovery.api_group(group):
            raise unknown_path()
        return web.Response(status=404, text="404 page not found\n", headers={"X-Content-Type-Options": "nosniff"})


def _faulty(fault: HttpError) -> web.StreamResponse:
    """Write the Status body of an injected error."""
    message = fault.message or "an error was injected"
    response = refusal(ApiError(fault.code, message, reason=fault.reason or None))
    response.headers.update(fault.headers)
    return response
