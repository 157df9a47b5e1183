"""Name the troubles of a request for which there is a remedy, and put the others into words."""

from __future__ import annotations

from enum import Enum

from multicluster.access.address import redacted
from multicluster.access.endpoint import Endpoint

SAFE_TO_REPEAT = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that may be sent again when nobody knows whether they were acted upon."""


class Trouble(Enum):
    """What went wrong with a request; each is remedied at most once per request."""

    REFUSED = "401: drop the token, mint a new one, send again"
    MOVED = "unknown certificate, host name or port: ask where the API server is, send again"
    STALE = "the connection ended before an answer: send again, which a read survives"


def unreachable(name: str, endpoint: Endpoint, error: BaseException, more: str = "") -> str:
    """Return the text of a ClusterUnreachableError, without passwords that stand in addresses."""
    through = f" through proxy {endpoint.proxy_url}" if endpoint.proxy_url else ""
    budget = f"time-outs: connect {endpoint.connect_timeout:g} s, read {endpoint.read_timeout:g} s"
    where = f"cluster {name!r}: no usable answer from {endpoint.server}{through}"
    return redacted(f"{where} ({budget}): {_words(error)}{more}")


def moved(error: BaseException) -> str:
    """Return what to add when asking for the endpoint failed as well."""
    return f"; asking anew where it is failed too: {error}"


def read_timeout(endpoint: Endpoint, query: object) -> float:
    """Return how long a silence may last, seconds: a watch may be silent for as long as it was asked to last."""
    asked = [value for key, value in query if key == "timeoutSeconds"] if isinstance(query, list) else []
    return max([endpoint.read_timeout, *(float(seconds) + endpoint.connect_timeout for seconds in asked)])


def _words(error: BaseException) -> str:
    text = str(error) or type(error).__name__
    cause = error.__cause__ or error.__context__
    return text if cause is None or str(cause) in text else f"{text} ({cause})"
