"""Reading what clients send and writing what they get."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from multicluster.simulator.kubernetes.api import protobuf
from multicluster.simulator.kubernetes.documents import Document
from multicluster.simulator.kubernetes.status import ApiError

_LIMIT = 3 * 2**20


async def body(request: web.BaseRequest) -> Any:
    """Return a request's body, None for an empty one. Raises `ApiError` 400, 413, 415."""
    data = await request.read()
    if len(data) > _LIMIT:
        raise ApiError(413, f"Request entity too large: limit is {_LIMIT}")
    if not data:
        return None
    if request.content_type == protobuf.MEDIA_TYPE:
        return protobuf.decoded(data)
    try:
        return json.loads(data)
    except ValueError as error:
        raise ApiError(400, f"the object provided is unrecognized (must be of type JSON): {error}") from error


async def document(request: web.BaseRequest) -> Document:
    """Return a request's body, which must be an object. Raises `ApiError`."""
    read = await body(request)
    if not isinstance(read, dict):
        raise ApiError(400, "the body of the request must be an object")
    return read


def answer(content: Document, code: int = 200) -> web.Response:
    """Return a JSON response."""
    data = json.dumps(content, separators=(",", ":")).encode()
    return web.Response(status=code, body=data, content_type="application/json")


def refusal(error: ApiError) -> web.Response:
    """Return the response for an `ApiError`."""
    response = answer(error.body, error.code)
    seconds = (error.details or {}).get("retryAfterSeconds")
    if seconds:
        response.headers["Retry-After"] = str(seconds)
    return response
