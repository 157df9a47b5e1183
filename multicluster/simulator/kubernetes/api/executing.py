"""The `exec` subresource of pods over websockets (v4.channel.k8s.io and v5.channel.k8s.io)."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from aiohttp import WSMsgType, web

from multicluster.simulator.kubernetes.api.logs import check_node, container_named
from multicluster.simulator.kubernetes.api.options import is_true
from multicluster.simulator.kubernetes.documents import Document, at, name_of
from multicluster.simulator.kubernetes.kubelet.container_start import StartError
from multicluster.simulator.kubernetes.kubelet.execution import Execution
from multicluster.simulator.kubernetes.kubelet.kubelet import Kubelet
from multicluster.simulator.kubernetes.kubelet.node_services import NodeServices
from multicluster.simulator.kubernetes.status import ApiError

_V5, _V4 = "v5.channel.k8s.io", "v4.channel.k8s.io"
_STDIN, _ERROR, _CLOSE = 0, 3, 255


async def serve_exec(
    request: web.BaseRequest, kubelet: Kubelet, services: NodeServices, pod: Document
) -> web.StreamResponse:
    """Execute a command in a container and stream its input and output. Raises `ApiError` before it begins."""
    query = request.query
    container = container_named(pod, query.get("container", ""))
    command = query.getall("command", [])
    if request.headers.get("Upgrade", "").lower() != "websocket":
        raise ApiError(400, "Upgrade request required", reason="BadRequest")
    if not command:
        raise ApiError(400, "you must specify at least 1 command for the container")
    wanted = [channel for channel, name in enumerate(("stdin", "stdout", "stderr")) if is_true(query.get(name, ""))]
    if not wanted:
        return web.Response(status=400, text="you must specify at least 1 of stdin, stdout, stderr")  # the kubelet's
    record = kubelet.record(pod, container)
    if not at(pod, "spec", "nodeName"):
        raise ApiError(400, f"pod {name_of(pod)} does not have a host assigned")
    check_node(services.store, pod)
    if record is None or record.running is None:
        return web.Response(status=500, text=f'container not found ("{container}")')  # the kubelet's words, no Status
    socket = web.WebSocketResponse(protocols=(_V5, _V4), max_msg_size=0)
    await socket.prepare(request)
    execution = Execution(services, record.running, command, stdin=0 in wanted)
    shown = {channel: channel for channel in wanted}
    if is_true(query.get("tty", "")):
        shown[2] = 1  # a terminal has one stream
    await _stream(socket, execution, shown)
    return socket


async def _stream(socket: web.WebSocketResponse, execution: Execution, shown: dict[int, int]) -> None:
    reading = asyncio.ensure_future(_read(socket, execution))
    running = asyncio.ensure_future(execution.run())
    try:
        while (piece := await _next(execution, reading)) is not None:
            channel, data = piece
            if channel in shown:
                await socket.send_bytes(bytes([shown[channel]]) + data)
        if not socket.closed:
            await socket.send_bytes(bytes([_ERROR]) + json.dumps(await _outcome(running)).encode())
            await socket.close()
    finally:
        reading.cancel()
        running.cancel()
        await asyncio.wait({running})


async def _next(execution: Execution, reading: asyncio.Future[None]) -> tuple[int, bytes] | None:
    """Return the next output; None at the end, also when the client has gone."""
    getting = asyncio.ensure_future(execution.output.get())
    try:
        waits: set[asyncio.Future[Any]] = {getting, reading}
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        return getting.result() if getting.done() else None
    finally:
        getting.cancel()


async def _read(socket: web.WebSocketResponse, execution: Execution) -> None:
    """Feed what the client sends until it goes away."""
    async for message in socket:
        data = message.data.encode() if message.type is WSMsgType.TEXT else message.data
        if not isinstance(data, bytes) or not data:
            continue
        if data[0] == _STDIN:
            execution.feed(data[1:])
        elif data[0] == _CLOSE and data[1:] == bytes([_STDIN]) and socket.ws_protocol == _V5:
            execution.close_input()


async def _outcome(running: asyncio.Future[int]) -> Document:
    try:
        return _status(await running)
    except StartError as error:
        why = f"Internal error occurred: error executing command in container: {error}"
        details = {"causes": [{"message": why}]}
        status = {"metadata": {}, "status": "Failure", "message": f"Internal error occurred: {why}"}
        return {**status, "reason": "InternalError", "details": details, "code": 500}


def _status(code: int) -> Document:
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    return {
        "metadata": {},
        "status": "Failure",
        "reason": "NonZeroExitCode",
        "message": f"command terminated with non-zero exit code: command terminated with exit code {code}",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }
