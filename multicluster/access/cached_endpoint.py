"""Remember where an API server is."""

from __future__ import annotations

import time
from collections.abc import Callable

from multicluster.access.endpoint import Endpoint
from multicluster.access.single_flight import SingleFlight

PAUSE_SECONDS = 30
"""How long a cluster that did not move is not asked for again: a dead API server must not exhaust the cloud's API."""


class CachedEndpoint:
    """An endpoint that is asked for once, and again only when told so; many callers share one question.

    *ask* gets True when the answer must not come from what stands in the registry. *monotonic* returns seconds.
    """

    def __init__(self, ask: Callable[[bool], Endpoint], *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._monotonic = monotonic
        self._in_vain: float | None = None
        self._endpoint: Endpoint | None = None
        self._first = SingleFlight(lambda: self._endpoint or self._remember(fresh=False))
        self._again = SingleFlight(self._ask_anew)

    def __call__(self, *, fresh: bool = False) -> Endpoint:
        """Return the endpoint; blocks while it is asked for. Raises AccessError.

        *fresh* asks anew, unless it did so within the last PAUSE_SECONDS and the answer was nothing new.
        """
        if fresh:
            return self._again()
        return self._endpoint or self._first()

    def _ask_anew(self) -> Endpoint:
        known, now = self._endpoint, self._monotonic()
        if known is not None and self._in_vain is not None and now - self._in_vain < PAUSE_SECONDS:
            return known
        self._in_vain = now
        endpoint = self._remember(fresh=True)
        if endpoint != known:
            self._in_vain = None
        return endpoint

    def _remember(self, *, fresh: bool) -> Endpoint:
        endpoint = self._endpoint = self._ask(fresh)
        return endpoint
