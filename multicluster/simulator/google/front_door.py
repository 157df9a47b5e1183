"""Open a second door to an API server, with another certificate: GKE's DNS endpoint.

It ends TLS with a certificate of the world's CA (which plays a public one), asks IAM about whoever sends the first
request of a connection, and passes the bytes on to the API server.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

    from multicluster.simulator.ground import Cluster

CHUNK = 65536
TOKEN = re.compile(rb"\r\nauthorization: *bearer +(\S+)", re.IGNORECASE)
FORBIDDEN = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class FrontDoor:
    """Listen on 127.0.0.1 and pass connections on to a cluster."""

    def __init__(self, cluster: Cluster, context: ssl.SSLContext, may_connect: Callable[[str], bool]) -> None:
        self.cluster, self.context, self.may_connect = cluster, context, may_connect
        self._server: asyncio.Server | None = None

    async def open(self) -> int:
        """Start listening; returns the port."""
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", 0, ssl=self.context)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (OSError, EOFError, asyncio.LimitOverrunError):
            writer.close()
            return
        token = TOKEN.search(head)
        if token is not None and not self.may_connect(token[1].decode()):
            writer.write(FORBIDDEN)
            writer.close()
            return
        address = urlsplit(self.cluster.url)
        inner = ssl.create_default_context(cadata=self.cluster.ca_pem.decode())
        try:
            back, forth = await asyncio.open_connection(address.hostname, address.port, ssl=inner)
        except OSError:
            writer.close()
            return
        forth.write(head)
        with contextlib.suppress(asyncio.CancelledError):  # the world ends; nobody waits for a connection
            await asyncio.gather(copy(reader, forth), copy(back, writer))


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass bytes on until either side ends, then close the other."""
    with contextlib.suppress(OSError):
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
    writer.close()
