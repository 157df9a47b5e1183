"""Carry the requests of processes to the clouds, in virtual time; whatever may go wrong on the way goes wrong here."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from multidict import CIMultiDict, MultiDict

from matrix.process import current
from matrix.virtual_time import VirtualTime


class CutError(Exception):
    """The connection was cut, and nobody knows whether the request was done."""


class SilenceError(Exception):
    """No answer came within the client's patience; one may yet be given."""


class Request:
    """A request as the simulator's handlers read it: as much of ``aiohttp.web.BaseRequest`` as they use."""

    def __init__(self, method: str, url: str, headers: Mapping[str, Any], body: bytes | str | None) -> None:
        parts = urlsplit(url)
        self.method = method
        self.host = parts.netloc
        self.path = unquote(parts.path)
        self.raw_path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        self.query = MultiDict(parse_qsl(parts.query, keep_blank_values=True))
        self.headers = CIMultiDict((name, _text(value)) for name, value in headers.items())
        self.content_type = self.headers.get("Content-Type", "").partition(";")[0].strip()
        self.cut = False
        self.asker: Any = None
        self._body = body.encode() if isinstance(body, str) else body or b""

    async def read(self) -> bytes:
        return self._body

    @property
    def transport(self) -> Request:
        return self

    def abort(self) -> None:
        """Be cut, as the fault ``Drop`` wants it."""
        self.cut = True


Handler = Callable[[Any], Awaitable[Any]]


class Wire:
    """What lies between processes and clouds. ``latency`` is the most seconds that one way takes."""

    def __init__(self, time: VirtualTime, chance: random.Random, told: Callable[[str, str], None]) -> None:
        self.time, self.chance, self.told = time, chance, told
        self.latency = 0.4
        self.kills = 0

    def ask(self, handler: Handler, request: Request, *, what: str, patience: float) -> Any:
        """Return the answer; the process that asks may die before or after the effect, or stand still before."""
        process = current()
        request.asker = process
        if process is None:
            task = self.time.loop.create_task(handler(request))
            self.time.loop.turn()
            return task.result()
        process.calls += 1
        call, moment = process.dies_at_call or (0, "")
        dies = call in {process.calls, what.rpartition(":")[2]}
        pause, seconds = process.pauses_at_call or (0, 0.0)
        if pause == process.calls:
            self.told(process.name, f"stands still for {seconds:.0f} s")
            process.stands_still(seconds)
            process.sleep(seconds)
        if dies and moment == "before":
            self._kill(process, f"before {what}")
        process.sleep(self.chance.random() * self.latency)
        task = self.time.loop.create_task(handler(request))
        self.time.loop.turn()
        if not task.done() and not process.wait_for(task, patience):
            self.told(process.name, f"{what}: no answer in {patience:g} s")
            raise SilenceError(what)
        answer = task.result()
        self.told(process.name, f"{what}: {'cut' if request.cut else answer.status}")
        if dies and moment == "after":
            self._kill(process, f"after {what}")
        if request.cut:
            raise CutError(what)
        return answer

    def _kill(self, process: Any, when: str) -> None:
        self.kills += 1
        self.told(process.name, f"is killed {when}")
        process.kill()


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
