"""Open a second door to an API server, with another certificate: GKE's DNS endpoint.

It ends TLS with a certificate of the world's CA (which plays a public one) and passes the bytes on to the API server.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from multicluster.simulator.grounds.cluster import Cluster

CHUNK = 65536


class FrontDoor:
    """Listen on 127.0.0.1 and pass connections on to a cluster."""

    def __init__(self, cluster: Cluster, context: ssl.SSLContext) -> None:
        self.cluster, self.context = cluster, context
        self._server: asyncio.Server | None = None

    async def open(self) -> int:
        """Start listening; returns the port."""
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", 0, ssl=self.context)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        address = urlsplit(self.cluster.url)
        inner = ssl.create_default_context(cadata=self.cluster.ca_pem.decode())
        try:
            back, forth = await asyncio.open_connection(address.hostname, address.port, ssl=inner)
        except OSError:
            writer.close()
            return
        with contextlib.suppress(asyncio.CancelledError):  # the world ends; nobody waits for a connection
            await asyncio.gather(copy(reader, forth), copy(back, writer))


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass bytes on until either side ends, then close the other."""
    with contextlib.suppress(OSError):
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
    writer.close()
