"""Request bodies as objects: decoded, checked against what the server knows, refused or warned about."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from multicluster.simulator.kubernetes.api.bodies import document
from multicluster.simulator.kubernetes.api.options import check_write
from multicluster.simulator.kubernetes.decoding import Decoding, DecodingError
from multicluster.simulator.kubernetes.documents import Document
from multicluster.simulator.kubernetes.patches import ACCEPTED, STRATEGIC, patched
from multicluster.simulator.kubernetes.resources import Resource, kinds
from multicluster.simulator.kubernetes.status import ApiError, Cause, invalid

_SCHEME = 'in scheme "pkg/runtime/scheme.go:111"'


async def sent_object(resource: Resource, request: web.BaseRequest, warnings: list[str]) -> Document:
    """Return the object in the body of a create or update. Raises `ApiError` 400, 415 and 422."""
    check_write("CreateOptions" if request.method == "POST" else "UpdateOptions", request.query)
    sent = await document(request, resource.kind)
    version = str(sent.get("apiVersion", resource.api_version)).rpartition("/")[2]
    try:
        return _decoded(resource, sent, request, warnings)
    except DecodingError as error:
        kind = sent.get("kind") if sent.get("kind") in kinds() else resource.kind
        message = f'{kind} in version "{version}" cannot be handled as a {resource.kind}: {error}'
        raise ApiError(400, message) from error


async def sent_patch(request: web.BaseRequest) -> Any:
    """Return a patch as it was sent. Raises `ApiError` 400, 415 and 422."""
    if request.content_type not in ACCEPTED:
        raise ApiError(415, "415: Unsupported Media Type", details={})
    check_write("PatchOptions", request.query)
    try:
        return json.loads(await request.read())
    except ValueError as error:
        beginning = "" if request.content_type == STRATEGIC else "error decoding patch: "
        raise ApiError(400, f"{beginning}unexpected end of JSON input") from error


def patched_object(
    resource: Resource, current: Document, patch: Any, request: web.BaseRequest, warnings: list[str]
) -> Document:
    """Return what a patch makes of an object. Raises `ApiError` 400, 422 and 500."""
    result = patched(current, patch, request.content_type)
    try:
        return _decoded(resource, result, request, warnings)
    except DecodingError as error:
        shown = json.dumps(json.dumps(result, separators=(",", ":")))
        cause = Cause(field="patch", reason="FieldValueInvalid", message=f"Invalid value: {shown}: {error}")
        raise invalid("", "", "", [cause]) from error


def _decoded(resource: Resource, sent: Document, request: web.BaseRequest, warnings: list[str]) -> Document:
    kind, version = sent.get("kind", resource.kind), sent.get("apiVersion", resource.api_version)
    if version != resource.api_version or kind not in kinds():
        raise DecodingError(f'no kind "{kind}" is registered for version "{version}" {_SCHEME}')
    if kind != resource.kind:
        raise DecodingError(f"converting (v1.{kind}) to (core.{resource.kind}): unknown conversion")
    decoding = Decoding()
    result = decoding.document(resource, sent)
    unknown = [f'unknown field "{path}"' for path in decoding.unknown]
    validation = request.query.get("fieldValidation", "Warn")
    if unknown and validation == "Strict":
        raise DecodingError("strict decoding error: " + ", ".join(unknown))
    if validation == "Warn":
        warnings += unknown
    return result
