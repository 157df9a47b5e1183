"""The least of OpenAPI version 3 that lets kubectl (1.25 and later) see that the server takes `fieldValidation`."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from multicluster.simulator.kubernetes.api.bodies import answer
from multicluster.simulator.kubernetes.documents import Document
from multicluster.simulator.kubernetes.resources import RESOURCES, Resource
from multicluster.simulator.kubernetes.status import unknown_path

_INFO = {"title": "Kubernetes", "version": "simulator"}


def answered(path: str) -> web.StreamResponse:
    """Answer a request below `/openapi/`. Raises `ApiError` 404."""
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
