"""Translate what google-auth and requests raise on the way to a cluster."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

import requests
from google.auth.exceptions import GoogleAuthError, TransportError

from multicluster.errors import AccessError, ClusterUnreachableError, CredentialError, CredentialUnavailableError

MOST_WORDS = 500
"""Characters of Google's own words in an error."""


@contextmanager
def credential_errors(name: str, subject: str) -> Iterator[None]:
    """Turn errors of finding, impersonating or refreshing credentials into CredentialError, transient where it is."""
    try:
        yield
    except GoogleAuthError as error:
        kind = CredentialUnavailableError if _later(error) else CredentialError
        words = " ".join(" ".join(str(part) for part in error.args).split())[:MOST_WORDS]
        raise kind(f"cluster {name!r}: no Google token for {subject}: {words}") from error


@contextmanager
def describe_errors(name: str, cluster: str) -> Iterator[None]:
    """Turn errors of clusters.get into AccessError and its kin; *cluster* is its resource name."""
    try:
        yield
    except requests.HTTPError as error:
        raise _refused(error.response, name, cluster) from error
    except (requests.RequestException, ValueError) as error:
        text = f"cluster {name!r}: clusters.get of {cluster} had no usable answer: {error}"
        raise ClusterUnreachableError(text) from error


def _later(error: GoogleAuthError) -> bool:
    """Tell whether nobody answered, or only that they could not now.

    A failure to reach the metadata server comes wrapped in a RefreshError that calls itself final.
    """
    if isinstance(error, TransportError) or getattr(error, "retryable", False):
        return True
    if _busy(iam_status(error) or 0):
        return True
    cause = error.__cause__
    silent = isinstance(getattr(cause, "__cause__", None), TransportError | requests.RequestException)
    return isinstance(cause, TransportError) and (silent or "server unavailable" in str(cause))


def _refused(response: requests.Response, name: str, cluster: str) -> AccessError:
    status = response.status_code
    words = f"clusters.get of {cluster} answered {status}: {_words(response)}"
    if status == HTTPStatus.NOT_FOUND:
        return AccessError(f"cluster {name!r}: {words}; check projectId, location and clusterName in the registry")
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return CredentialError(f"cluster {name!r}: {words}; the identity needs container.clusters.get")
    if _busy(status):
        return ClusterUnreachableError(f"cluster {name!r}: {words}")
    return AccessError(f"cluster {name!r}: {words}")


def iam_status(error: GoogleAuthError) -> int | None:
    """Return what IAM answered when it was asked to impersonate; google-auth keeps only the body of that."""
    try:
        return int(json.loads(error.args[1])["error"]["code"])
    except (IndexError, KeyError, TypeError, ValueError):
        return None


def _busy(status: int) -> bool:
    return status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def _words(response: requests.Response) -> str:
    try:
        return str(response.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return response.text[:200]
