"""Faults one can ask the world for: errors, black holes, delays and cut connections, at chosen calls."""

from __future__ import annotations

import asyncio
import random
import re
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from aiohttp import web

from multicluster.simulator.clock import Clock

RESPONSE = "response:"


@dataclass(frozen=True, kw_only=True)
class HttpError:
    """Answer with an error. Without a body, the service writes its own usual one for this code.

    In the message, ``{call}`` and ``{target}`` stand for the call that is struck.
    """

    code: int
    body: bytes | None = None
    content_type: str = "application/json"
    reason: str = ""
    message: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Hang:
    """Take the request and never answer: a black hole."""


@dataclass(frozen=True, kw_only=True)
class Delay:
    """Answer as usual, later."""

    seconds: float


@dataclass(frozen=True, kw_only=True)
class Drop:
    """Cut the connection without an answer."""


Effect = HttpError | Hang | Delay | Drop


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One named fault and the calls it strikes.

    `service`, `operation` and `target` are regular expressions that must match the whole of each (for the Kubernetes
    API: `kubernetes`, e.g. `create pods` or `get pods/log`, and the path of the request). A service that begins with
    `response:` means that the call was acted upon, and its answer is struck. Of the matching calls, the first `after`
    pass, then `times` are struck (None: all), each with `probability`, by chance that `seed` repeats.
    """

    name: str
    effect: Effect
    service: str = ".*"
    operation: str = ".*"
    target: str = ".*"
    after: int = 0
    times: int | None = 1
    probability: float = 1.0
    seed: int = 0

    def matches(self, service: str, operation: str, target: str) -> bool:
        """Whether a call is of the kind this fault strikes."""
        if service.startswith(RESPONSE) != self.service.startswith(RESPONSE):
            return False
        pairs = ((self.service, service), (self.operation, operation), (self.target, target))
        return all(re.fullmatch(pattern, text) for pattern, text in pairs)


class Faults:
    """The faults in force. Thread-safe; each has a chance of its own, whatever others strike meanwhile."""

    def __init__(self) -> None:
        self._faults: dict[str, Fault] = {}
        self._chances: dict[str, random.Random] = {}
        self._seen: Counter[str] = Counter()
        self._struck: Counter[str] = Counter()
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Put a fault in force; one of the same name is replaced and its counts begin anew."""
        with self._lock:
            self._faults[fault.name] = fault
            self._chances[fault.name] = random.Random(fault.seed)  # noqa: S311 - chance for tests, not for secrets
            self._seen.pop(fault.name, None)
            self._struck.pop(fault.name, None)

    def remove(self, name: str) -> None:
        """Take a fault out of force; nothing happens when there is none of that name."""
        with self._lock:
            self._faults.pop(name, None)

    def clear(self) -> None:
        """Take all faults out of force."""
        with self._lock:
            self._faults.clear()

    def struck(self, name: str) -> int:
        """How many calls a fault has struck since it was added, also after its removal."""
        with self._lock:
            return self._struck[name]

    def effects(self, service: str, operation: str, target: str) -> tuple[Effect, ...]:
        """Count one call and return what strikes it, in the order the faults were added."""
        with self._lock:
            matching = [fault for fault in self._faults.values() if fault.matches(service, operation, target)]
            struck = [fault.effect for fault in matching if self._strikes(fault)]
        return tuple(told(effect, f"{service}:{operation}", target) for effect in struck)

    def _strikes(self, fault: Fault) -> bool:
        self._seen[fault.name] += 1
        if self._seen[fault.name] <= fault.after:
            return False
        if fault.times is not None and self._struck[fault.name] >= fault.times:
            return False
        if fault.probability < 1 and self._chances[fault.name].random() >= fault.probability:
            return False
        self._struck[fault.name] += 1
        return True


def told(effect: Effect, call: str, target: str) -> Effect:
    """Fill the call that is struck into the sentence of an error."""
    if not isinstance(effect, HttpError) or "{" not in effect.message:
        return effect
    return replace(effect, message=effect.message.replace("{call}", call).replace("{target}", target))


async def suffer(
    effects: tuple[Effect, ...],
    request: web.BaseRequest,
    clock: Clock,
    answer: Callable[[HttpError], web.StreamResponse],
) -> web.StreamResponse | None:
    """Let effects happen to a request; return the response to send, or None when the call goes on as usual.

    `answer` writes the service's own error body for an `HttpError` that brings none.
    """
    for effect in effects:
        if isinstance(effect, Delay):
            await clock.sleep(effect.seconds)
        elif isinstance(effect, Hang):
            await asyncio.Event().wait()
        elif isinstance(effect, Drop):
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)
        elif effect.body is None:
            return answer(effect)
        else:
            return web.Response(
                status=effect.code, body=effect.body, content_type=effect.content_type, headers=effect.headers
            )
    return None
