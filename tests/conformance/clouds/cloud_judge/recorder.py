"""Listen at the doors of the simulator's clouds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web

from cloud_judge.exchange import Exchange
from multicluster.simulator.aws.gateway import Gateway
from multicluster.simulator.google.cloud import Google

Door = Callable[[Any, web.BaseRequest], Awaitable[web.StreamResponse]]


class Recorder:
    """Keep what passes the doors of all worlds while somebody listens; a world must be made after ``open``."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self._listening = False

    @contextmanager
    def open(self) -> Iterator[None]:
        """Stand at both doors."""
        before = Gateway.handle, Google.handle
        Gateway.handle = self._beside("aws", Gateway.handle)  # type: ignore[method-assign]
        Google.handle = self._beside("google", Google.handle)  # type: ignore[method-assign]
        try:
            yield
        finally:
            Gateway.handle, Google.handle = before  # type: ignore[method-assign]

    @contextmanager
    def listen(self) -> Iterator[list[Exchange]]:
        """Give the exchanges from here to the end of the block."""
        self.exchanges, self._listening = [], True
        try:
            yield self.exchanges
        finally:
            self._listening = False

    def _beside(self, cloud: str, door: Door) -> Door:
        async def handle(owner: Any, request: web.BaseRequest) -> web.StreamResponse:
            body = await request.read()
            answer: web.StreamResponse | None = None
            try:
                answer = await door(owner, request)
                return answer
            finally:
                if self._listening:
                    self.exchanges.append(exchange(cloud, request, body, answer))

        return handle


def exchange(cloud: str, request: web.BaseRequest, body: bytes, answer: web.StreamResponse | None) -> Exchange:
    """Write down one request and its answer."""
    path, _, query = request.raw_path.partition("?")
    whole = isinstance(answer, web.Response) and request.transport is not None and not request.transport.is_closing()
    return Exchange(
        cloud=cloud,
        method=request.method,
        path=path,
        query=query,
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
        status=answer.status if whole else None,
        answer_headers={name.lower(): value for name, value in answer.headers.items()} if whole else {},
        answer=bytes(answer.body or b"") if whole else b"",
    )
