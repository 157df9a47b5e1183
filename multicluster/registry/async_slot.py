"""Keep the one asynchronous client that a cluster has in an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multicluster.registry.cluster import Cluster


class AsyncSlot:
    """The client of one event loop; whoever comes first makes it, the others wait."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._client: Any = None
        self.keepers = 0

    async def client(self, cluster: Cluster) -> Any:
        """Return the client; a new one when there is none, or when somebody closed it."""
        from multicluster.access.async_client import async_client

        async with self._lock:
            if self._client is None or self._client.rest_client.pool_manager.closed:
                access = await asyncio.to_thread(lambda: cluster.access)
                self._client = await async_client(access, name=cluster.name, accept=cluster.accept)
        return self._client

    async def close(self) -> None:
        """Close the client, if there is one, in its own loop."""
        async with self._lock:
            if self._client is not None:
                await self._client.close()
                self._client = None

    def abandon(self) -> None:
        """Give up the client of a loop that is closed already, where nothing can be awaited: close its sockets."""
        client, self._client = self._client, None
        if client is not None and not client.rest_client.pool_manager.closed:
            session = client.rest_client.pool_manager
            for end in _sockets(session.connector):
                end.close()
            session.detach()


def _sockets(connector: Any) -> Iterator[Any]:
    """Yield the sockets of a connector and forget them; aiohttp and asyncio have no public way without their loop."""
    idle = [protocol for pool in connector._conns.values() for protocol, *_ in pool]  # noqa: SLF001
    busy = list(connector._acquired)  # noqa: SLF001
    connector._conns.clear()  # noqa: SLF001
    connector._acquired.clear()  # noqa: SLF001
    for protocol in (*idle, *busy):
        wrapped = protocol.transport.get_extra_info("socket") if protocol.transport else None
        if wrapped is not None:
            yield getattr(wrapped, "_sock", wrapped)
