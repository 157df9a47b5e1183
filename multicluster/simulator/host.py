"""The event loop on which the whole world runs, in a thread of its own, so that synchronous code can use it."""

from __future__ import annotations

import asyncio
import concurrent.futures
import ssl
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from aiohttp import web

T = TypeVar("T")
Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

_CALL_TIMEOUT = 60.0
_MAX_BODY = 16 * 2**20


class Host:
    """One event loop in a daemon thread, serving HTTP on 127.0.0.1 only."""

    def __init__(self, name: str = "simulator") -> None:
        self.loop = asyncio.new_event_loop()
        self._runners: dict[int, web.AppRunner] = {}
        self._thread = threading.Thread(target=self._run, daemon=True, name=name)
        self._thread.start()

    @property
    def is_current(self) -> bool:
        """Whether the caller runs on this host's loop."""
        return threading.get_ident() == self._thread.ident

    def call(self, coroutine: Coroutine[Any, Any, T], timeout: float = _CALL_TIMEOUT) -> T:
        """Run a coroutine on the loop, block until it ends and return its result. Not from the loop itself."""
        if self.is_current:
            coroutine.close()
            raise RuntimeError("Host.call would wait for its own loop; await the coroutine instead")
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout)

    def run(self, function: Callable[[], T], timeout: float = _CALL_TIMEOUT) -> T:
        """Run a plain function on the loop and return its result; at once when the caller is on the loop."""
        if self.is_current:
            return function()
        done: concurrent.futures.Future[T] = concurrent.futures.Future()
        self.loop.call_soon_threadsafe(_settle, done, function)
        return done.result(timeout)

    def serve(self, handler: Handler, ssl_context: ssl.SSLContext | None = None, port: int = 0) -> int:
        """Serve every path of 127.0.0.1:port with one handler; return the port (a free one for 0).

        A handler is cancelled when its client goes away.
        """
        return self.call(self._serve(handler, ssl_context, port))

    def disconnect(self, port: int) -> None:
        """Close every connection that is open on a served port; the port goes on listening."""
        self.run(lambda: _disconnect(self._runners[port]))

    def unserve(self, port: int) -> None:
        """Stop serving a port and close its connections. A port that is not served is left alone."""
        runner = self._runners.pop(port, None)
        if runner is not None:
            self.call(runner.cleanup())

    def stop(self) -> None:
        """Stop serving, cancel what still runs, end the thread. Calling twice does nothing more."""
        if self.loop.is_closed():
            return
        self.call(self._shut_down())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    async def _serve(self, handler: Handler, ssl_context: ssl.SSLContext | None, port: int) -> int:
        app = web.Application(client_max_size=_MAX_BODY)
        app.router.add_route("*", "/{path:.*}", handler)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port, ssl_context=ssl_context, reuse_address=True).start()
        bound = int(runner.addresses[0][1])
        self._runners[bound] = runner
        return bound

    async def _shut_down(self) -> None:
        for runner in [*self._runners.values()]:
            await runner.cleanup()
        self._runners.clear()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self.loop.shutdown_default_executor()


def _settle(done: concurrent.futures.Future[T], function: Callable[[], T]) -> None:
    try:
        done.set_result(function())
    except Exception as error:  # noqa: BLE001 - handed to the thread that asked
        done.set_exception(error)


def _disconnect(runner: web.AppRunner) -> None:
    server = runner.server
    for connection in list(server.connections) if server is not None else []:
        transport = connection.transport
        if transport is not None:
            transport.abort()
