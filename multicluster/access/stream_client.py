"""Open the websocket of exec, attach and port-forward with the client's own trust and time-outs.

``kubernetes.stream`` opens it with the trust of files and without any time-out; everything after the handshake
stays the library's.
"""

from __future__ import annotations

import functools
import socket
import ssl
from io import BytesIO, StringIO
from typing import Any
from urllib.parse import urlsplit

from kubernetes.client.exceptions import ApiException
from kubernetes.stream import ws_client
from websocket import WebSocket, WebSocketBadStatusException, WebSocketException, WebSocketTimeoutException

from multicluster.access.endpoint import Endpoint
from multicluster.access.route import KEEPALIVE, proxy_url

PROTOCOL = "sec-websocket-protocol"
V5 = getattr(ws_client, "V5_CHANNEL_PROTOCOL", None)
OURS = [V5, "v4.channel.k8s.io"] if V5 else ["v4.channel.k8s.io"]
"""What this release of the library understands."""


def open_stream(
    replacement: functools.partial[Any],
    endpoint: Endpoint,
    context: ssl.SSLContext,
    url: str,
    *,
    headers: dict[str, str],
    query_params: Any = None,
    _preload_content: bool = True,
    _request_timeout: Any = None,
    **_: Any,
) -> Any:
    """Do what *replacement*, of ``kubernetes.stream``, would do.

    Raises ApiException with the status that the server answered, OSError when there is no connection. With
    ``_preload_content`` it waits for the end of the command for ``_request_timeout`` seconds, or as long as the
    endpoint allows for an answer, and raises ApiException when the command has not ended by then: half an output is
    none.
    """
    limits = _limits(_request_timeout, endpoint)
    websocket = _handshake(endpoint, context, ws_client.get_websocket_url(url, query_params), headers, limits)
    if replacement.func is ws_client.portforward_call:
        ports = ",".join(value for key, value in query_params if key == "ports")
        return ws_client.PortForward(websocket, [int(port) for port in ports.split(",")])
    binary = bool(replacement.keywords.get("binary"))
    stream = Stream(websocket, binary=binary)
    if not _preload_content:
        return stream
    stream.run_forever(timeout=limits[1])
    if stream.is_open():
        stream.close()
        raise _refusal(0, f"the command did not end within {limits[1]:g} s; pass _request_timeout")
    everything = stream.read_all()
    return ws_client.WSResponse(data=everything if binary else str(everything), status=200)


class Stream(ws_client.WSClient):  # type: ignore[misc]
    """The library's stream over a socket that is open already."""

    def __init__(self, websocket: WebSocket, *, binary: bool) -> None:
        # What WSClient.__init__ of kubernetes 31 to 36 sets; it cannot be called, because it connects by itself.
        self.sock = websocket
        self.subprotocol = websocket.subprotocol
        self.binary = binary
        self.newline = b"\n" if binary else "\n"
        self._all = BytesIO() if binary else StringIO()
        self._channels: dict[int, Any] = {}
        self._closed_channels: set[int] = set()
        self._connected = True
        self._returncode = None


def _limits(wanted: Any, endpoint: Endpoint) -> tuple[float, float]:
    """Return seconds for the handshake, and for the whole command."""
    if isinstance(wanted, tuple):
        return wanted[0], wanted[1]
    return endpoint.connect_timeout, float(wanted or endpoint.read_timeout)


def _handshake(
    endpoint: Endpoint, context: ssl.SSLContext, url: str, headers: dict[str, str], limits: tuple[float, float]
) -> WebSocket:
    authorization = headers.get("authorization")
    websocket = WebSocket(sslopt=_tls_options(endpoint, context), sockopt=list(KEEPALIVE), skip_utf8_validation=False)
    connect: Any = websocket.connect
    try:
        connect(
            url,
            header=[f"authorization: {authorization}"] if authorization else [],
            subprotocols=headers[PROTOCOL].split(",") if PROTOCOL in headers else OURS,
            timeout=limits[1],
            redirect_limit=0,
            suppress_origin=True,
            **_way(endpoint, context, url, limits),
        )
    except WebSocketBadStatusException as error:
        refused = _refusal(error.status_code, str(error), error.resp_body or b"")
        refused.headers = {key.title(): value for key, value in (error.resp_headers or {}).items()}
        raise refused from error
    except WebSocketTimeoutException as error:
        raise TimeoutError(str(error)) from error
    except WebSocketException as error:
        answered = websocket.handshake_response  # a redirect, which is never followed
        raise _refusal(answered.status if answered else 0, str(error)) from error
    return websocket


def _refusal(status: int, reason: str, body: bytes = b"") -> ApiException:
    error = ApiException(status=status, reason=reason)
    error.body = body  # the stock client decodes it without looking whether there is one
    return error


def _tls_options(endpoint: Endpoint, context: ssl.SSLContext) -> dict[str, Any]:
    name = {"server_hostname": endpoint.tls_server_name} if endpoint.tls_server_name else {}
    trust = {"context": context, "cert_reqs": context.verify_mode, "check_hostname": context.check_hostname}
    return {**trust, **name}


def _way(endpoint: Endpoint, context: ssl.SSLContext, url: str, limits: tuple[float, float]) -> dict[str, Any]:
    """Return the options for the way there: the library's own through a proxy, an open socket without one."""
    given = proxy_url(endpoint)
    if given is None:
        return {"socket": _open_socket(endpoint, context, url, limits)}
    proxy = urlsplit(given)
    auth = (proxy.username, proxy.password) if proxy.username else None
    no_exceptions = [""]  # None would read NO_PROXY, which has been asked already
    return {
        "http_proxy_host": proxy.hostname,
        "http_proxy_port": proxy.port or 80,
        "http_proxy_auth": auth,
        "http_no_proxy": no_exceptions,
    }


def _open_socket(endpoint: Endpoint, context: ssl.SSLContext, url: str, limits: tuple[float, float]) -> socket.socket:
    target = urlsplit(url)
    plain = socket.create_connection((target.hostname, target.port or 443), timeout=limits[0])
    try:
        for option in KEEPALIVE:
            plain.setsockopt(*option)
        if target.scheme == "wss":
            plain = context.wrap_socket(plain, server_hostname=endpoint.tls_server_name or target.hostname)
    except OSError:
        plain.close()
        raise
    plain.settimeout(limits[1])
    return plain
