"""Ask on through an outage of an API server."""

from __future__ import annotations

import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

from aiohttp import ClientError
from airflow.providers.cncf.kubernetes.kubernetes_helper_functions import KubernetesApiException
from kubernetes.client import ApiException
from kubernetes_asyncio.client import ApiException as AsyncApiException
from urllib3.exceptions import HTTPError

from multicluster.errors import MulticlusterError
from multicluster.pods.pace import Timing

T = TypeVar("T")
GIVE_UP_SECONDS = Timing().give_up
"""As long as the shared watch of deferred tasks is patient."""
MOST_DELAY = 15.0
NO_ANSWER = (
    ApiException, AsyncApiException, HTTPError, ClientError, TimeoutError, KubernetesApiException, MulticlusterError,
)  # fmt: skip
"""What a request raises that got no good answer."""


class Patience:
    """Says how long to pause before asking again, and when that is of no use any more.

    It helps until *seconds* are over, or the task is *over*. The log says each time *what* is the matter.
    """

    def __init__(
        self,
        log: Any,
        *,
        what: str = "The pod cannot be read",
        seconds: float = GIVE_UP_SECONDS,
        most_delay: float = MOST_DELAY,
        over: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log = log
        self._what = what
        self._seconds, self._most_delay = seconds, most_delay
        self._over = over
        self._clock = clock
        self._began = clock()
        self._asked = 0

    def after(self, error: Exception) -> float:
        """Return the seconds to pause; raises the *error* where that does not help."""
        left = self._seconds - (self._clock() - self._began)
        if self._over() or left <= 0 or not _passing(error):
            raise error
        pause = min(max(min(2.0**self._asked, self._most_delay), retry_after(error)), left)
        self._asked += 1
        self._log.warning("%s; asking again in %.0f s, for %.0f s more: %s", self._what, pause, left, said(error))
        return pause


def patiently(
    ask: Callable[[], T],
    *,
    log: Any,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    **options: Any,
) -> T:
    """Call *ask*, which may be called again, until it gets an answer; blocks. For *options*, see Patience."""
    patience = Patience(log, clock=clock, **options)
    while True:
        try:
            return ask()
        except NO_ANSWER as error:
            pause = patience.after(error)
        sleep(pause)


def _passing(error: Exception) -> bool:
    if isinstance(error, ApiException | AsyncApiException):
        return error.status == HTTPStatus.TOO_MANY_REQUESTS or (error.status or 0) >= HTTPStatus.INTERNAL_SERVER_ERROR
    return error.transient if isinstance(error, MulticlusterError) else True


def retry_after(error: Exception | None) -> float:
    """Return the seconds that the API server wishes for, but no more than it is waited for: a proxy may say a day."""
    wished = str((getattr(error, "headers", None) or {}).get("Retry-After", ""))
    return min(float(wished), GIVE_UP_SECONDS) if wished.isdecimal() else 0


def said(error: Exception) -> str:
    """Return the error in few words."""
    return f"{error.status} {error.reason}" if isinstance(error, ApiException | AsyncApiException) else str(error)
