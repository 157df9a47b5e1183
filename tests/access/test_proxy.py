"""A proxy that speaks CONNECT stands between client and cluster."""

from __future__ import annotations

import asyncio
import socket
import socketserver
import threading
from dataclasses import replace

import pytest
from kubernetes.client import CoreV1Api
from kubernetes.client.exceptions import ApiException
from kubernetes.stream import stream
from kubernetes_asyncio.client import CoreV1Api as AsyncCoreV1Api

from multicluster.access.async_client import async_client
from multicluster.access.sync_client import sync_client
from multicluster.errors import ClusterUnreachableError


class Proxy(socketserver.ThreadingTCPServer):
    """Tunnels every CONNECT to *target*, and records what it was asked for."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, target):
        super().__init__(("127.0.0.1", 0), _Tunnel)
        self.target = target
        self.asked = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Tunnel(socketserver.BaseRequestHandler):
    def handle(self):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.request.recv(1)
        self.server.asked.append(head.split()[1].decode())
        self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with socket.create_connection(self.server.target) as upstream:
            back = threading.Thread(target=_pump, args=(upstream, self.request), daemon=True)
            back.start()
            _pump(self.request, upstream)
            back.join(5)


def _pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        return


@pytest.fixture
def proxy(server):
    made = Proxy(server.server_address)
    threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture
def behind(proxy, endpoint, make_access, tokens):
    return make_access(replace(endpoint, server="https://localhost:6443", proxy_url=proxy.url), tokens)


def test_pain_19_the_sync_client_and_its_streams_go_through_the_proxy(behind, proxy, server):
    core = CoreV1Api(sync_client(behind, name="gpu"))
    core.list_namespaced_pod("ml")

    with pytest.raises(ApiException) as caught:
        stream(core.connect_get_namespaced_pod_exec, "p", "ml", command=["true"])
    assert caught.value.status == 200  # the recording server speaks no websocket
    assert proxy.asked == ["localhost:6443"] * 2
    assert server.tokens() == ["Bearer token-1"] * 2


def test_pain_19_the_async_client_goes_through_the_proxy(behind, proxy, server):
    async def main():
        async with await async_client(behind, name="gpu") as client:
            await AsyncCoreV1Api(client).list_namespaced_pod("ml")

    asyncio.run(main())

    assert proxy.asked == ["localhost:6443"]
    assert server.tokens() == ["Bearer token-1"]


def test_the_environments_proxy_is_used_by_both(behind, proxy, server, monkeypatch):
    for name in ("NO_PROXY", "no_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    access = behind
    access.current = replace(behind.current, proxy_url=None)

    async def main():
        async with await async_client(access, name="gpu") as client:
            await AsyncCoreV1Api(client).list_namespaced_pod("ml")

    CoreV1Api(sync_client(access, name="gpu")).list_namespaced_pod("ml")
    asyncio.run(main())

    assert len(proxy.asked) == len(server.recorded) == 2


def test_a_dead_proxy_is_named(behind, endpoint):
    behind.current = replace(behind.current, proxy_url="http://127.0.0.1:1")

    with pytest.raises(ClusterUnreachableError, match=r"through proxy http://127\.0\.0\.1:1"):
        CoreV1Api(sync_client(behind, name="gpu")).list_namespaced_pod("ml")
