"""Remember where an API server is."""

from __future__ import annotations

from collections.abc import Callable

from multicluster.access.endpoint import Endpoint
from multicluster.access.single_flight import SingleFlight


class CachedEndpoint:
    """An endpoint that is asked for once, and again only when told so; many callers share one question.

    *ask* gets True when the answer must not come from what stands in the registry.
    """

    def __init__(self, ask: Callable[[bool], Endpoint]) -> None:
        self._ask = ask
        self._endpoint: Endpoint | None = None
        self._first = SingleFlight(lambda: self._endpoint or self._remember(fresh=False))
        self._again = SingleFlight(lambda: self._remember(fresh=True))

    def __call__(self, *, fresh: bool = False) -> Endpoint:
        """Return the endpoint; blocks while it is asked for. Raises AccessError."""
        if fresh:
            return self._again()
        return self._endpoint or self._first()

    def _remember(self, *, fresh: bool) -> Endpoint:
        endpoint = self._endpoint = self._ask(fresh)
        return endpoint
