"""A TCP line between Airflow and a cluster's API server that can be cut, slowed and mended."""

from __future__ import annotations

import asyncio
import contextlib

from multicluster.simulator.host import Host

CHUNK = 64 * 1024
DRIBBLE_BYTES, DRIBBLE_SECONDS = 16, 0.5
"""What a slow line lets through at a time, and how long it takes for it."""


class Line:
    """Carry the bytes of every connection to 127.0.0.1:*port* on to *target*. Safe in any thread but the host's."""

    def __init__(self, host: Host, target: int) -> None:
        self._host = host
        self._target = target
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.slow = False
        self.dripped = 0
        """How many bytes have come through while it was slow."""
        self.aborted = 0
        """How many connections were cut."""
        self.port = 0
        self.mend()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """Refuse connections, and abort those that are open."""
        self._host.call(self._cut())

    def mend(self) -> None:
        """Take connections, on the port that it had before."""
        self._host.call(self._listen())

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port, reuse_address=True)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _cut(self) -> None:
        if self._server is not None:
            self._server.close()
        self.aborted += len(self._open) // 2  # a connection has two ends
        for writer in list(self._open):
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            onward, back = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        ends = (writer, back)
        self._open.update(ends)
        try:
            there, here = (
                asyncio.ensure_future(self._pump(reader, back, slow=False)),
                asyncio.ensure_future(self._pump(onward, writer, slow=True)),
            )
            await asyncio.wait((there, here), return_when=asyncio.FIRST_COMPLETED)
            for task in (there, here):
                task.cancel()
        finally:
            self._open.difference_update(ends)
            for end in ends:
                end.close()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, slow: bool) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(CHUNK):
                while slow and self.slow and data:
                    sink.write(data[:DRIBBLE_BYTES])
                    self.dripped += len(data[:DRIBBLE_BYTES])
                    data = data[DRIBBLE_BYTES:]
                    await sink.drain()
                    await asyncio.sleep(DRIBBLE_SECONDS)
                sink.write(data)
                await sink.drain()
