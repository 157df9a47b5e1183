"""Ask for Google tokens with the cluster's own time-outs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests
from google.auth.exceptions import TransportError
from google.auth.transport.requests import Request

from multicluster.access.kind import Network
from multicluster.kinds.gke.patience import TOO_BUSY, patient


class BoundedRequest(Request):  # type: ignore[misc, unused-ignore]
    """google-auth's way to make a request, whose own time-out of 120 seconds nobody else can set.

    Remembers what was wrong with somebody who accepted a connection and then said nothing, or that he is too busy:
    google-auth takes a metadata server of that sort for none at all.
    """

    def __init__(self, network: Network) -> None:
        super().__init__(patient())
        self._network = network
        self.met_trouble = ""

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **more: Any,
    ) -> Any:
        """Make one request; *timeout* shortens the network's time-outs and never stretches them."""
        bounds = tuple(
            min(bound, timeout or bound) for bound in (self._network.connect_timeout, self._network.read_timeout)
        )
        parent: Any = super()
        try:
            answer = parent.__call__(url, method, body, headers, timeout=bounds, **more)
        except TransportError as error:
            if isinstance(error.__cause__, requests.ReadTimeout):
                self.met_trouble = "did not answer in time"
            raise
        if answer.status in TOO_BUSY:
            self.met_trouble = f"answered {answer.status}"
        return answer
