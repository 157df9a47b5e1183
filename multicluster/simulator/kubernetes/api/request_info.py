"""What a request asks for: verb, resource, namespace, name, subresource (k8s.io/apiserver `RequestInfo`)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from aiohttp import web

from multicluster.simulator.kubernetes.api.options import is_true
from multicluster.simulator.kubernetes.resources import Resource, resource_at

_PATH = re.compile(
    r"/(?:api/(?P<core>v1)|apis/(?P<group>[^/]+)/(?P<version>[^/]+))"
    r"(?:/namespaces/(?P<namespace>[^/]+)(?=/.))?"
    r"/(?P<plural>[^/]+)(?:/(?P<name>[^/]+)(?:/(?P<subresource>[^/]+))?)?/?"
)
_ONE = re.compile(r"(?:^|,)metadata\.name==?([^,!]+)")
_OBJECT_VERBS = {"GET": "get", "HEAD": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete", "POST": "create"}
_LIST_VERBS = {"GET": "list", "HEAD": "list", "POST": "create", "DELETE": "deletecollection"}


@dataclass(frozen=True, kw_only=True)
class RequestInfo:
    """One request, understood.

    `resource` is None for addresses that are no (known) resource; `is_resource`: authorization goes by resource, not
    by path.
    """

    verb: str
    path: str
    is_resource: bool = False
    group: str = ""
    plural: str = ""
    resource: Resource | None = None
    namespace: str | None = None
    name: str = ""
    subresource: str = ""

    @property
    def target(self) -> str:
        """The resource with its subresource (`pods/log`), or the path of what is none."""
        if not self.plural:
            return self.path
        return f"{self.plural}/{self.subresource}" if self.subresource else self.plural


def understood(request: web.BaseRequest) -> RequestInfo:
    """Return what a request asks for."""
    match = _PATH.fullmatch(request.path)
    if match is None:
        return RequestInfo(verb=request.method.lower(), path=request.path)
    group, plural = match["group"] or "", match["plural"]
    resource = resource_at(group, match["core"] or match["version"], plural)
    name = match["name"] or ""
    if plural == "namespaces" and resource is not None and match["namespace"]:
        resource = None  # /namespaces/x/namespaces
    verb = (_OBJECT_VERBS if name else _LIST_VERBS).get(request.method, request.method.lower())
    if verb == "list" and is_true(request.query.get("watch", "")):
        verb = "watch"
    if verb in ("list", "watch", "deletecollection") and (one := _ONE.search(request.query.get("fieldSelector", ""))):
        name = one[1]
    return RequestInfo(
        verb=verb,
        path=request.path,
        is_resource=True,
        group=group,
        plural=plural,
        resource=resource,
        namespace=match["name"] if plural == "namespaces" and match["name"] else match["namespace"],
        name=name,
        subresource=match["subresource"] or "",
    )
