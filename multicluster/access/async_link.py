"""Hold the connections of one event loop to one API server."""

from __future__ import annotations

import inspect
import socket
import ssl
import weakref
from typing import Any

import aiohttp

from multicluster.access.endpoint import Endpoint
from multicluster.access.route import KEEPALIVE

UNLIMITED = 0
"""Watches hold a connection each for as long as they last; a limit would let them starve every other request."""
LARGEST_EVENT = 2**21
"""aiohttp's read buffer in bytes; the stock client sets the same, for watch events of large objects."""


class AsyncLink:
    """What the stock client calls its pool manager: sends requests to *endpoint*, and knows when nobody uses it."""

    def __init__(self, endpoint: Endpoint, context: ssl.SSLContext) -> None:
        self.endpoint = endpoint
        connector = aiohttp.TCPConnector(limit=UNLIMITED, ssl=context, **_keepalive())
        self._session = aiohttp.ClientSession(connector=connector, read_bufsize=LARGEST_EVENT)
        self._asking = 0
        self._answers: weakref.WeakSet[aiohttp.ClientResponse] = weakref.WeakSet()

    async def request(self, **options: Any) -> aiohttp.ClientResponse:
        """Send one request. Follows no redirect: it would carry the credentials wherever the answer points."""
        self._asking += 1
        try:
            answer = await self._session.request(**options, allow_redirects=False)
        finally:
            self._asking -= 1
        self._answers.add(answer)
        return answer

    @property
    def idle(self) -> bool:
        """Whether no answer is waited for, nor read."""
        return not self._asking and all(answer.connection is None for answer in self._answers)

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._session.closed

    @property
    def connector(self) -> aiohttp.BaseConnector | None:
        """What holds the sockets."""
        return self._session.connector

    def detach(self) -> None:
        """Let go of the sockets without closing them."""
        self._session.detach()

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()


def _keepalive() -> dict[str, Any]:
    """Return the connector's option for sockets with keepalive, which aiohttp has since 3.12."""
    if "socket_factory" not in inspect.signature(aiohttp.TCPConnector.__init__).parameters:
        return {}
    return {"socket_factory": _socket}


def _socket(address: Any) -> socket.socket:
    family, kind, protocol, *_ = address
    made = socket.socket(family, kind, protocol)
    for option in KEEPALIVE:
        made.setsockopt(*option)
    return made
