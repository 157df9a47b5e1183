"""Build the asynchronous Kubernetes client of a cluster."""

from __future__ import annotations

import asyncio
import inspect
import socket
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, NoReturn

import aiohttp
from kubernetes_asyncio.client import ApiClient, Configuration
from kubernetes_asyncio.client.exceptions import ApiException

from multicluster.access.async_link import AsyncLink
from multicluster.access.async_streamed_answer import AsyncStreamedAnswer
from multicluster.access.authorization import Authorization
from multicluster.access.endpoint import Acceptance, Endpoint, accept_any
from multicluster.access.kind import ClusterAccess
from multicluster.access.route import check_route, proxy_url
from multicluster.access.tls import ssl_context
from multicluster.access.trouble import SAFE_TO_REPEAT, Trouble, moved, read_timeout, unreachable
from multicluster.errors import AccessError, ClusterUnreachableError

REDIRECTS = range(300, 400)


class UnreachableClientError(ClusterUnreachableError, aiohttp.ClientConnectionError):
    """No answer in time; an error of aiohttp too, because stock Airflow retries those."""


async def async_client(access: ClusterAccess, *, name: str, accept: Acceptance = accept_any) -> ApiClient:
    """Return a client of the running event loop that keeps itself authenticated; *name* is for errors.

    The twin of ``sync_client``, with the same answers to a 401, to an API server that moved and to silence. Endpoint,
    tokens and trust are fetched off the loop. The time-out for connecting covers the look-up of the name, too. Any
    number of requests and watches may be under way. Whoever asked for the client closes it, in the same loop.
    """
    endpoint = await asyncio.to_thread(access.endpoint)
    client = AsyncClusterApiClient(access, endpoint, name=name, accept=accept)
    try:
        await client.connect(endpoint)
    except BaseException:
        await client.close()
        raise
    return client


class AsyncClusterApiClient(ApiClient):  # type: ignore[misc]
    """The stock client with its own connections, its own token source, and a second try where one is safe."""

    def __init__(
        self, access: ClusterAccess, endpoint: Endpoint, *, name: str, accept: Acceptance = accept_any
    ) -> None:
        self.name = name
        self._accept = accept
        self._access = access
        self._authorization = Authorization(access, endpoint, name=name)
        self._moving = asyncio.Lock()
        self._link: AsyncLink | None = None
        self._retired: list[AsyncLink] = []
        configuration = Configuration(host=endpoint.server)
        configuration.proxy = None
        configuration.tls_server_name = endpoint.tls_server_name
        if _awaits_hooks():
            configuration.refresh_api_key_hook = self._authorization.fill_async
        super().__init__(configuration)

    async def connect(self, endpoint: Endpoint) -> None:
        """Get ready for connections to *endpoint*, with a token at hand; none is opened yet.

        Requests under way keep the connections that they have; those of nobody are closed.
        """
        check_route(endpoint, name=self.name)
        self._accept(endpoint)
        await self._authorization.fill_async(self.configuration)
        context = await asyncio.to_thread(ssl_context, endpoint, name=self.name)
        replaced: Any = self.rest_client.pool_manager
        self.rest_client.pool_manager = link = AsyncLink(endpoint, context)
        self.rest_client.server_hostname = endpoint.tls_server_name
        self.rest_client.proxy = proxy_url(endpoint)
        if self._link is None:
            await replaced.close()  # the stock client's own, never used
        else:
            self._retired.append(self._link)
        self._link = link
        await self._close_idle()

    async def close(self) -> None:
        """Close all connections."""
        await super().close()
        while self._retired:
            await self._retired.pop().close()

    async def _close_idle(self) -> None:
        idle = [link for link in self._retired if link.idle]
        self._retired = [link for link in self._retired if link not in idle]
        for link in idle:
            await link.close()

    async def request(
        self, method: str, url: str, headers: dict[str, str] | None = None, _request_timeout: Any = None, **options: Any
    ) -> Any:
        """Send one request, and once more after each kind of trouble for which there is a remedy."""
        seen: set[Trouble] = set()
        path = url.removeprefix(self.configuration.host)
        headers = await self._authorization.sign_async(headers or {}, self.configuration)
        stock: Callable[..., Awaitable[Any]] = super().request
        await self._close_idle()
        while True:
            link = self._ready()
            timeout = _time_out(_request_timeout, link.endpoint, options.get("query_params"))
            try:
                answer = await stock(
                    method, link.endpoint.server + path, headers=dict(headers), _request_timeout=timeout, **options
                )
                _raise_refusal(answer)
            except (ApiException, aiohttp.ClientError, OSError) as error:  # a time-out is an OSError
                trouble = _diagnose(error, method)
                if trouble is Trouble.REFUSED:
                    again = trouble in seen
                    answered = getattr(error, "headers", None)
                    headers = await self._authorization.renew_async(headers, answered, again=again)
                elif trouble is None or trouble in seen:
                    self._give_up(error, link)
                elif trouble is Trouble.MOVED:
                    await self._reconnect(link, error)
                seen.add(trouble)
            else:
                return self._reading(answer, link) if isinstance(answer, aiohttp.ClientResponse) else answer

    def _reading(self, answer: aiohttp.ClientResponse, link: AsyncLink) -> AsyncStreamedAnswer:
        return AsyncStreamedAnswer(
            answer, lambda error: UnreachableClientError(unreachable(self.name, link.endpoint, error))
        )

    def _ready(self) -> AsyncLink:
        if self._link is None:
            raise RuntimeError("call connect first, or use async_client")
        return self._link

    def _give_up(self, error: Exception, link: AsyncLink, more: str = "") -> NoReturn:
        if isinstance(error, ApiException):
            raise error
        raise UnreachableClientError(unreachable(self.name, link.endpoint, error, more)) from error

    async def _reconnect(self, used: AsyncLink, reason: Exception) -> None:
        async with self._moving:
            if self._link is not used:
                return  # another task was faster
            try:
                endpoint = await asyncio.to_thread(self._access.endpoint, fresh=True)
            except AccessError as error:
                self._give_up(reason, used, moved(error))
            if endpoint != used.endpoint:
                await self.connect(endpoint)


def _diagnose(error: Exception, method: str) -> Trouble | None:
    if isinstance(error, ApiException):
        return Trouble.REFUSED if error.status == HTTPStatus.UNAUTHORIZED else None
    reason = getattr(error, "os_error", error)
    if isinstance(error, aiohttp.ClientConnectorCertificateError) or isinstance(
        reason, ConnectionRefusedError | socket.gaierror
    ):
        return Trouble.MOVED
    interrupted = isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientOSError | ConnectionResetError)
    cut = isinstance(reason, ConnectionResetError)  # in the handshake: an API server that is just being replaced
    unconnected = isinstance(error, aiohttp.ClientConnectorError) and not cut
    return Trouble.STALE if interrupted and not unconnected and method in SAFE_TO_REPEAT else None


def _raise_refusal(answer: Any) -> None:
    """Treat an unread answer like a read one: the stock client looks at the status of those only."""
    if isinstance(answer, aiohttp.ClientResponse) and answer.status in {*REDIRECTS, HTTPStatus.UNAUTHORIZED}:
        answer.release()
        error = ApiException(status=answer.status, reason=answer.reason)
        error.headers = answer.headers
        error.body = b""  # the stock client decodes it without looking whether there is one
        raise error


def _time_out(wanted: Any, endpoint: Endpoint, query: object) -> aiohttp.ClientTimeout:
    if isinstance(wanted, aiohttp.ClientTimeout):
        return wanted
    if isinstance(wanted, tuple):
        return aiohttp.ClientTimeout(connect=wanted[0], sock_connect=wanted[0], sock_read=wanted[1])
    if wanted:
        return aiohttp.ClientTimeout(total=wanted)
    connect = endpoint.connect_timeout
    return aiohttp.ClientTimeout(connect=connect, sock_connect=connect, sock_read=read_timeout(endpoint, query))


def _awaits_hooks() -> bool:
    """Whether this release awaits an asynchronous hook; an older one leaves it un-awaited, with a warning."""
    return inspect.iscoroutinefunction(Configuration.get_api_key_with_prefix)
