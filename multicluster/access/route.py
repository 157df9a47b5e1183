"""Decide how bytes get to an API server: proxy, and sockets that notice a dead peer."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from multicluster.access.address import redacted
from multicluster.access.endpoint import Endpoint
from multicluster.errors import AccessError

KEEPALIVE: tuple[tuple[int, int, int], ...] = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    *(
        (socket.IPPROTO_TCP, getattr(socket, name), seconds_or_count)
        for name, seconds_or_count in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))
        if hasattr(socket, name)  # macOS names the first one otherwise; its default idle time is two hours
    ),
)
"""A dead peer is noticed after a minute; the Go client's figures are the same."""


def proxy_url(endpoint: Endpoint) -> str | None:
    """Return the proxy for *endpoint*: its own, or the one that HTTPS_PROXY and NO_PROXY ask for."""
    if endpoint.proxy_url:
        return endpoint.proxy_url
    from requests.utils import get_environ_proxies, select_proxy

    found: str | None = select_proxy(endpoint.server, get_environ_proxies(endpoint.server))
    return f"http://{found}" if found and "://" not in found else found


def check_route(endpoint: Endpoint, *, name: str) -> None:
    """Raise AccessError unless the addresses of API server and proxy can be used; *name* is the cluster's."""
    _check(endpoint.server, f"cluster {name!r}: its address")
    proxy = proxy_url(endpoint)
    if proxy:
        _check(proxy, f"cluster {name!r}: its proxy")


def _check(url: str, what: str) -> None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise AccessError(f"{what} {redacted(url)!r} is none: it must be http:// or https://, a host, maybe a port")
