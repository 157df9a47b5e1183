"""A connection that is cut in its TLS handshake is no error for a read: an API server is just being replaced."""

from __future__ import annotations

import asyncio
import socket

import kubernetes.client
import kubernetes_asyncio.client
import pytest

from multicluster.access.async_client import async_client
from multicluster.access.sync_client import sync_client
from multicluster.errors import ClusterUnreachableError


class HangsUp:
    """Stands in for a server's TLS context: hangs up on so many clients, then greets them."""

    def __init__(self, context, times):
        self.context, self.times = context, times

    def wrap_socket(self, connection, *, server_side):
        if self.times:
            self.times -= 1
            connection.shutdown(socket.SHUT_RDWR)
            raise ConnectionResetError
        return self.context.wrap_socket(connection, server_side=server_side)


def list_sync(access):
    return kubernetes.client.CoreV1Api(sync_client(access, name="gpu")).list_namespaced_pod("ml")


def list_async(access):
    async def ask():
        async with await async_client(access, name="gpu") as client:
            return await kubernetes_asyncio.client.CoreV1Api(client).list_namespaced_pod("ml")

    return asyncio.run(ask())


@pytest.mark.parametrize("ask", [list_sync, list_async])
def test_a_read_is_repeated_once(server, access, ask):
    server.context = HangsUp(server.context, 1)

    assert ask(access).items == []
    assert len(server.recorded) == 1


@pytest.mark.parametrize("ask", [list_sync, list_async])
def test_an_api_server_that_goes_on_hanging_up_is_unreachable(server, access, ask):
    server.context = HangsUp(server.context, 100)

    with pytest.raises(ClusterUnreachableError, match="cluster 'gpu'"):
        ask(access)
