"""Carry connections from the address of the service ``kubernetes`` to the API server; a process of its own.

In a cluster kube-proxy does this for every service with firewall rules. Here it is one service and no rule.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress

CHUNK = 65536


async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy until one side ends, then end the other."""
    with suppress(OSError):
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


async def forward(address: str, port: int) -> None:
    """Listen on *address*, port 443, and carry each connection to 127.0.0.1 at *port*. Never ends."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError):
                theirs, ours = await asyncio.open_connection("127.0.0.1", port)
                await asyncio.gather(carry(reader, ours), carry(theirs, writer))
                ours.close()
        finally:
            writer.close()

    server = await asyncio.start_server(connected, address, 443)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(forward(sys.argv[1], int(sys.argv[2])))
