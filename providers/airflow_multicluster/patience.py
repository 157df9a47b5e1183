"""Read on through an outage of an API server."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

from airflow.providers.cncf.kubernetes.kubernetes_helper_functions import KubernetesApiException
from kubernetes.client import ApiException
from urllib3.exceptions import HTTPError

from multicluster.pods.pace import Timing

T = TypeVar("T")
GIVE_UP_SECONDS = Timing().give_up
"""As long as the shared watch of deferred tasks is patient."""
MOST_DELAY = 15.0


def patiently(
    read: Callable[[], T],
    *,
    log: Any,
    over: Callable[[], bool] = lambda: False,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Call *read*, which changes nothing, until it gets an answer; blocks.

    Raises what *read* raised last: at once where asking again does not help, or the task is *over*, else after
    GIVE_UP_SECONDS.
    """
    began = clock()
    for asked in itertools.count():
        try:
            return read()
        except (ApiException, HTTPError, KubernetesApiException) as error:
            left = GIVE_UP_SECONDS - (clock() - began)
            if over() or left <= 0 or not _passing(error):
                raise
            pause = max(min(2.0**asked, MOST_DELAY), retry_after(error))
            log.warning(
                "The pod cannot be read; asking again in %.0f s, for %.0f s more: %s", pause, left, _said(error)
            )
        sleep(pause)
    raise AssertionError


def _passing(error: Exception) -> bool:
    if isinstance(error, ApiException):
        return error.status == HTTPStatus.TOO_MANY_REQUESTS or (error.status or 0) >= HTTPStatus.INTERNAL_SERVER_ERROR
    return True


def retry_after(error: Exception | None) -> float:
    """Return the seconds that the API server wishes for, but no more than it is waited for: a proxy may say a day."""
    wished = str((getattr(error, "headers", None) or {}).get("Retry-After", ""))
    return min(float(wished), GIVE_UP_SECONDS) if wished.isdecimal() else 0


def _said(error: Exception) -> str:
    return f"{error.status} {error.reason}" if isinstance(error, ApiException) else str(error)
