"""Build the synchronous Kubernetes client of a cluster."""

from __future__ import annotations

import functools
import os
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NoReturn, TypeVar

import urllib3
from kubernetes.client import ApiClient, Configuration
from kubernetes.client.exceptions import ApiException
from urllib3.connection import HTTPConnection
from urllib3.exceptions import HTTPError, NewConnectionError, ProtocolError, SSLError
from urllib3.exceptions import TimeoutError as HTTPTimeoutError

from multicluster.access.authorization import Authorization
from multicluster.access.endpoint import Acceptance, Endpoint, accept_any
from multicluster.access.kind import ClusterAccess
from multicluster.access.route import KEEPALIVE, check_route, proxy_url
from multicluster.access.streamed_answer import StreamedAnswer
from multicluster.access.tls import ssl_context
from multicluster.access.trouble import SAFE_TO_REPEAT, Trouble, moved, read_timeout, unreachable
from multicluster.errors import AccessError, ClusterUnreachableError

T = TypeVar("T")


class UnreachableHTTPError(ClusterUnreachableError, HTTPError):
    """No answer in time; an HTTPError of urllib3 too, because stock Airflow retries those."""


class SilentHTTPError(UnreachableHTTPError, HTTPTimeoutError):
    """Nothing more of an answer came in time; stock Airflow goes on reading a log after an error of this class."""


def sync_client(access: ClusterAccess, *, name: str, accept: Acceptance = accept_any) -> ApiClient:
    """Return a client that many threads may share and that keeps itself authenticated; *name* is for errors.

    It asks for endpoint and token at once. Each request sends a token that is still good. A 401 is answered by one
    replay with a new token (the request was not acted upon), a second one raises CredentialError. An untrusted
    certificate, a refused connection or an unknown host name is answered by one replay at the endpoint asked for anew;
    that failing, and every time-out, raises ClusterUnreachableError. All other answers are ApiException as ever.
    Requests without ``_request_timeout`` get the endpoint's time-outs, watches and exec too. A forked child opens
    connections of its own. *accept* is asked about each endpoint before anything is sent there.

    One wait has no limit of ours: the system's look-up of a host name (``getaddrinfo``; its ``resolv.conf`` says how
    long), which nothing can interrupt in a thread. The asynchronous client's time-out for connecting covers it.
    """
    return ClusterApiClient(access, name=name, accept=accept)


@dataclass(frozen=True, kw_only=True)
class Link:
    """Connections of one process to one endpoint."""

    process: int
    endpoint: Endpoint
    context: Any
    pool: urllib3.PoolManager


class ClusterApiClient(ApiClient):  # type: ignore[misc]
    """The stock client with its own connections, its own token source, and a second try where one is safe."""

    def __init__(self, access: ClusterAccess, *, name: str, accept: Acceptance = accept_any) -> None:
        self.name = name
        self._accept = accept
        self._access = access
        self._replaced = threading.local()
        endpoint = access.endpoint()
        self._authorization = Authorization(access, endpoint, name=name)
        configuration = Configuration(host=endpoint.server)
        configuration.proxy = None
        self._authorization.fill(configuration)
        configuration.refresh_api_key_hook = self._authorization.fill
        super().__init__(configuration)
        self._link = self._connect(endpoint)

    def close(self) -> None:
        """Close the connections; a later request opens new ones."""
        super().close()
        self._link.pool.clear()

    @property
    def request(self) -> Callable[..., Any]:
        """Send one request. ``kubernetes.stream`` replaces this for a while: here, for its own thread only."""
        replaced: Callable[..., Any] | None = getattr(self._replaced, "request", None)
        return replaced or self._request

    @request.setter
    def request(self, value: Callable[..., Any]) -> None:
        if value == self._request:
            self._replaced.request = None
        elif isinstance(value, functools.partial) and not isinstance(value, BoundStream):
            self._replaced.request = BoundStream(self._stream, value)
        else:
            self._replaced.request = value

    def _request(self, method: str, url: str, **options: Any) -> Any:
        headers, wanted = options.pop("headers", None), options.pop("_request_timeout", None)
        stock = super().request

        def send(link: Link, url: str, headers: dict[str, str]) -> Any:
            silence = read_timeout(link.endpoint, options.get("query_params"))
            timeout = wanted or (link.endpoint.connect_timeout, silence)
            answer = stock(method, url, headers=headers, _request_timeout=timeout, **options)
            if options.get("_preload_content", True):
                return answer
            return StreamedAnswer(answer, lambda error: SilentHTTPError(unreachable(self.name, link.endpoint, error)))

        return self._persist(send, method, url, headers)

    def _stream(self, replacement: functools.partial[Any], method: str, url: str, **options: Any) -> Any:
        from multicluster.access.stream_client import open_stream

        headers = options.pop("headers", None)

        def send(link: Link, url: str, headers: dict[str, str]) -> Any:
            return open_stream(replacement, link.endpoint, link.context, url, headers=headers, **options)

        return self._persist(send, method, url, headers)

    def _persist(
        self, send: Callable[[Link, str, dict[str, str]], T], method: str, url: str, headers: dict[str, str] | None
    ) -> T:
        """Send, and once more after each kind of trouble for which there is a remedy."""
        seen: set[Trouble] = set()
        path = url.removeprefix(self.configuration.host)
        headers = self._authorization.sign(headers or {}, self.configuration)
        while True:
            link = self._current_link()
            try:
                return send(link, link.endpoint.server + path, dict(headers))
            except (ApiException, HTTPError, OSError) as error:
                trouble = _diagnose(error, method)
                if trouble is Trouble.REFUSED:
                    answer = getattr(error, "headers", None)
                    headers = self._authorization.renew(headers, answer, again=trouble in seen)
                elif trouble is None or trouble in seen:
                    self._give_up(error, link)
                elif trouble is Trouble.MOVED:
                    self._reconnect(link, error)
                seen.add(trouble)

    def _give_up(self, error: Exception, link: Link, more: str = "") -> NoReturn:
        if isinstance(error, ApiException) and (error.status or not isinstance(error.__context__, SSLError)):
            if error.body is None:
                error.body = b""  # the stock client decodes it without looking whether there is one
            raise error
        raise UnreachableHTTPError(unreachable(self.name, link.endpoint, error, more)) from error

    def _current_link(self) -> Link:
        link = self._link
        if link.process != os.getpid():
            link = self._link = self._connect(link.endpoint)
        return link

    def _reconnect(self, used: Link, reason: Exception) -> None:
        if self._link is not used:
            return  # another thread was faster
        try:
            endpoint = self._access.endpoint(fresh=True)
        except AccessError as error:
            self._give_up(reason, used, moved(error))
        if endpoint != used.endpoint:
            self._link = self._connect(endpoint)

    def _connect(self, endpoint: Endpoint) -> Link:
        check_route(endpoint, name=self.name)
        self._accept(endpoint)
        context = ssl_context(endpoint, name=self.name)
        options: dict[str, Any] = {
            "ssl_context": context,
            "maxsize": 50,
            "retries": False,
            "socket_options": [*HTTPConnection.default_socket_options, *KEEPALIVE],
        }
        if endpoint.tls_server_name:
            options["server_hostname"] = endpoint.tls_server_name
        proxy = proxy_url(endpoint)
        pool = urllib3.ProxyManager(proxy, **options) if proxy else urllib3.PoolManager(**options)
        self.rest_client.pool_manager = pool
        return Link(process=os.getpid(), endpoint=endpoint, context=context, pool=pool)


def _diagnose(error: Exception, method: str) -> Trouble | None:
    if isinstance(error, ApiException):
        if error.status == HTTPStatus.UNAUTHORIZED:
            return Trouble.REFUSED
        error = error.__context__ if isinstance(error.__context__, SSLError) else error
    reason = error.args[0] if isinstance(error, SSLError) and error.args else error  # websocket-client wraps nothing
    if isinstance(reason, NewConnectionError | ConnectionRefusedError | socket.gaierror | ssl.SSLCertVerificationError):
        return Trouble.MOVED
    cut = isinstance(reason, ProtocolError | ssl.SSLEOFError)  # also in the handshake: an API server being replaced
    return Trouble.STALE if cut and method in SAFE_TO_REPEAT else None


class BoundStream(functools.partial[Any]):
    """What stands in for ``request`` while a stream is opened."""
