"""Reading what clients send and writing what they get."""

from __future__ import annotations

import json
from typing import Any

import yaml
from aiohttp import web

from multicluster.simulator.kubernetes.api import protobuf
from multicluster.simulator.kubernetes.documents import Document
from multicluster.simulator.kubernetes.status import ApiError

_LIMIT = 3 * 2**20
_JSON, _YAML, _PROTOBUF = "application/json", "application/yaml", protobuf.MEDIA_TYPE
_ACCEPTED = f"{_JSON}, {_YAML}, {_PROTOBUF}"
_STREAMED = f"{_ACCEPTED}, {_JSON};stream=watch, {_PROTOBUF};stream=watch"
_SHAPES = ("Table", "PartialObjectMetadata", "PartialObjectMetadataList", "APIGroupDiscoveryList")


def check_accept(request: web.BaseRequest) -> None:
    """Refuse a client that takes no answer this server can give. Raises `ApiError` 406."""
    taken = [part.replace(" ", "").split(";") for part in request.headers.get("Accept", "*/*").split(",")]
    known = [options for kind, *options in taken if kind in ("*/*", _JSON)]
    if not known:
        message = f"406: Not Acceptable\n\nAvailable representations: {_STREAMED}"
        raise ApiError(406, message, details={})
    shapes = [option.removeprefix("as=") for options in known for option in options if option.startswith("as=")]
    if len(shapes) == len(known) and not set(shapes) & set(_SHAPES):
        raise ApiError(406, f"only the following media types are accepted: {_ACCEPTED}")


async def body(request: web.BaseRequest, kind: str = "") -> Any:
    """Return a request's body, None for an empty one. Raises `ApiError` 400, 413, 415. `kind` names it in errors."""
    data = await request.read()
    if len(data) > _LIMIT:
        raise ApiError(413, f"Request entity too large: limit is {_LIMIT}")
    if not data:
        return None
    if request.content_type == _PROTOBUF:
        return protobuf.decoded(data)
    if request.content_type not in (_JSON, _YAML, "application/octet-stream"):
        message = f"the body of the request was in an unknown format - accepted media types include: {_ACCEPTED}"
        raise ApiError(415, message)
    try:
        return yaml.safe_load(data) if request.content_type == _YAML else json.loads(data)
    except (ValueError, yaml.YAMLError) as error:
        raise unrecognized(kind, str(error)) from error


async def document(request: web.BaseRequest, kind: str) -> Document:
    """Return a request's body, which must be an object. Raises `ApiError`."""
    read = await body(request, kind)
    if not isinstance(read, dict):
        raise unrecognized(kind, "the body is no object")
    return read


def unrecognized(kind: str, why: str) -> ApiError:
    """Return the 400 of a body that cannot be read."""
    message = f"the object provided is unrecognized (must be of type {kind}): couldn't get version/kind; "
    return ApiError(400, f"{message}json parse error: {why}")


def answer(content: Document, code: int = 200, media_type: str = "application/json") -> web.Response:
    """Return a JSON response."""
    data = json.dumps(content, separators=(",", ":")).encode()
    return web.Response(status=code, body=data, headers={"Content-Type": media_type})


def refusal(error: ApiError) -> web.Response:
    """Return the response for an `ApiError`."""
    response = answer(error.body, error.code)
    seconds = (error.details or {}).get("retryAfterSeconds")
    if seconds:
        response.headers["Retry-After"] = str(seconds)
    return response


def warned(response: web.Response, warnings: list[str]) -> web.Response:
    """Add what a client is warned of to its answer."""
    for warning in warnings:
        response.headers.add("Warning", f"299 - {json.dumps(warning)}")
    return response
