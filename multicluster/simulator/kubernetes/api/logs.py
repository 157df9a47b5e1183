"""Container logs: the `log` subresource of pods."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from aiohttp import web
from multidict import MultiMapping

from multicluster.simulator.kubernetes.api.options import is_true
from multicluster.simulator.kubernetes.documents import Document, at, moment, name_of, nano_stamp
from multicluster.simulator.kubernetes.kubelet.kubelet import Kubelet
from multicluster.simulator.kubernetes.kubelet.log_buffer import LogBuffer, LogLine
from multicluster.simulator.kubernetes.resources import NODES
from multicluster.simulator.kubernetes.status import ApiError, forbidden_field, invalid, invalid_value, not_found
from multicluster.simulator.kubernetes.store import Store

_PULLING = ("ErrImagePull", "ImagePullBackOff")


@dataclass(frozen=True, kw_only=True)
class LogOptions:
    """What a client may ask of a log."""

    follow: bool
    timestamps: bool
    previous: bool
    since: dt.datetime | None
    tail: int | None
    limit: int | None


def options(query: MultiMapping[str], now: dt.datetime, pod: str) -> LogOptions:
    """Read the options of a log request. Raises `ApiError` 400 and 422."""
    try:
        since = moment(query["sinceTime"]) if query.get("sinceTime") else None
        seconds, tail, limit = (
            int(query[name]) if query.get(name) else None for name in ("sinceSeconds", "tailLines", "limitBytes")
        )
        causes = [
            invalid_value(
                name,
                value,
                f"must be greater than or equal to {least}" if least == 0 else f"must be greater than {least - 1}",
            )
            for name, value, least in (("tailLines", tail, 0), ("limitBytes", limit, 1), ("sinceSeconds", seconds, 1))
            if value is not None and value < least
        ]
        if since is not None and seconds is not None:
            causes.append(forbidden_field("[]", "at most one of `sinceTime` or `sinceSeconds` may be specified"))
        if causes:
            raise invalid("PodLogOptions", "", pod, causes)
        if seconds is not None:
            since = now - dt.timedelta(seconds=seconds)
        return LogOptions(
            follow=is_true(query.get("follow", "")),
            timestamps=is_true(query.get("timestamps", "")),
            previous=is_true(query.get("previous", "")),
            since=since,
            tail=tail,
            limit=limit,
        )
    except ValueError as error:
        raise ApiError(400, f"unable to decode the log options: {error}") from error


async def send_log(request: web.BaseRequest, kubelet: Kubelet, pod: Document, store: Store) -> web.StreamResponse:
    """Send a container's log, following it if asked to. Raises `ApiError` 400."""
    asked = options(request.query, store.clock.now(), name_of(pod))
    container = container_named(pod, request.query.get("container", ""))
    if not at(pod, "spec", "nodeName"):
        return web.Response(status=204)  # a real server has no kubelet to ask either
    check_node(store, pod)
    log = _log(kubelet, pod, container, previous=asked.previous)
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    await response.prepare(request)
    position = log.tail(asked.tail) if asked.tail is not None else 0
    left = asked.limit
    while True:
        lines, position = log.since(position), log.end
        data = b"".join(_rendered(line, asked) for line in lines if asked.since is None or line.moment >= asked.since)
        if left is not None:
            data, left = data[:left], left - len(data[:left])
        if data:
            await response.write(data)
        if left == 0 or not asked.follow or (log.closed and position == log.end):
            return response
        await log.grown(position)


def container_named(pod: Document, name: str) -> str:
    """Return the container a request means. Raises `ApiError` 400 when that is none or not clear."""
    spec = pod["spec"]
    mains = [container["name"] for container in spec["containers"]]
    inits = [container["name"] for container in spec.get("initContainers") or []]
    if name and name not in (*mains, *inits):
        raise ApiError(400, f"container {name} is not valid for pod {name_of(pod)}")
    if not name and len(mains) > 1:
        choices = " ".join([*inits, *mains])
        raise ApiError(400, f"a container name must be specified for pod {name_of(pod)}, choose one of: [{choices}]")
    return str(name or mains[0])


def check_node(store: Store, pod: Document) -> None:
    """Refuse to ask the kubelet of a node that has vanished. Raises `ApiError` 404."""
    node = str(at(pod, "spec", "nodeName"))
    if store.find(NODES, "", node) is None:
        raise not_found("nodes", "", node)


def _log(kubelet: Kubelet, pod: Document, container: str, *, previous: bool) -> LogBuffer:
    log = kubelet.log(pod, container, previous=previous)
    if log is not None:
        return log
    if previous:
        raise ApiError(400, f'previous terminated container "{container}" in pod "{name_of(pod)}" not found')
    record = kubelet.record(pod, container)
    reason = at(record.state, "waiting", "reason", default="ContainerCreating") if record else "ContainerCreating"
    if reason in _PULLING:
        reason = "trying and failing to pull image"
    raise ApiError(400, f'container "{container}" in pod "{name_of(pod)}" is waiting to start: {reason}')


def _rendered(line: LogLine, asked: LogOptions) -> bytes:
    return nano_stamp(line.moment).encode() + b" " + line.data if asked.timestamps else line.data
