"""The least of OpenAPI that lets kubectl validate: version 2 as protobuf, version 3 as JSON.

kubectl before 1.25 looks a kind up in the schema and skips validation when it is not there; later ones look whether
the server takes `fieldValidation`, which the version 3 documents say.
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from multicluster.simulator.kubernetes.api.bodies import answer
from multicluster.simulator.kubernetes.documents import Document
from multicluster.simulator.kubernetes.resources import RESOURCES, Resource
from multicluster.simulator.kubernetes.status import unknown_path

_PROTOBUF = (
    "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"  # kubectl asks with @ for ., which no answer may hold
)
_INFO = {"title": "Kubernetes", "version": "simulator"}


def answered(path: str, request: web.BaseRequest) -> web.StreamResponse:
    """Answer a request below `/openapi/`. Raises `ApiError` 404."""
    if path == "/openapi/v2":
        if "protobuf" in request.headers.get("Accept", ""):
            return web.Response(body=_version_2_protobuf(), headers={"Content-Type": _PROTOBUF})
        return answer({"swagger": "2.0", "info": _INFO, "paths": {}, "definitions": {}})
    served = {_prefix(resource).strip("/"): resource.api_version for resource in RESOURCES}
    if path == "/openapi/v3":
        paths = {name: {"serverRelativeURL": f"/openapi/v3/{name}"} for name in served}
        return answer({"paths": paths}, media_type="text/plain; charset=utf-8")
    version = served.get(path.removeprefix("/openapi/v3/"))
    if version is None:
        raise unknown_path()
    return answer(_version_3(version))


def _prefix(resource: Resource) -> str:
    return f"/apis/{resource.api_version}" if resource.group else "/api/v1"


def _version_3(api_version: str) -> Document:
    paths: dict[str, Any] = {}
    for resource in RESOURCES:
        if resource.api_version == api_version:
            scope = "/namespaces/{namespace}" if resource.namespaced else ""
            paths[f"{_prefix(resource)}{scope}/{resource.plural}/{{name}}"] = {"patch": _patch_operation(resource)}
    return {"openapi": "3.0.0", "info": _INFO, "paths": paths}


def _patch_operation(resource: Resource) -> Document:
    return {
        "parameters": [
            {"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}}
            for name in ("dryRun", "fieldManager", "fieldValidation")
        ],
        "responses": {"200": {"description": "OK"}},
        "x-kubernetes-action": "patch",
        "x-kubernetes-group-version-kind": {
            "group": resource.group,
            "version": resource.version,
            "kind": resource.kind,
        },
    }


def _version_2_protobuf() -> bytes:
    """Encode `openapi_v2.Document{swagger: "2.0", info: {title, version}, paths: {}}`."""
    info = _field(1, _INFO["title"].encode()) + _field(2, _INFO["version"].encode())
    return _field(1, b"2.0") + _field(2, info) + _field(8, b"")


def _field(number: int, data: bytes) -> bytes:
    return bytes([number << 3 | 2, len(data)]) + data
