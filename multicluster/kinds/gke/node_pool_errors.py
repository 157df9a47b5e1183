"""Translate what Google's REST APIs and google-auth say: one table, status to class."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, RefreshError, TransportError
from requests.exceptions import RequestException

from multicluster.errors import (
    CloudUnavailableError,
    CredentialError,
    CredentialUnavailableError,
    MulticlusterError,
    NodePoolBusyError,
    NodePoolConflictError,
    NodePoolLimitError,
    NodePoolNotFoundError,
    NodePoolRefusedError,
)

CLASSES: dict[int, type[MulticlusterError]] = {
    HTTPStatus.UNAUTHORIZED: CredentialError,
    HTTPStatus.FORBIDDEN: NodePoolRefusedError,
    HTTPStatus.NOT_FOUND: NodePoolNotFoundError,
    HTTPStatus.REQUEST_TIMEOUT: CloudUnavailableError,
    HTTPStatus.CONFLICT: NodePoolConflictError,
    HTTPStatus.PRECONDITION_FAILED: NodePoolBusyError,
    HTTPStatus.TOO_MANY_REQUESTS: NodePoolBusyError,
}
LOCKS = ("incompatible operation", "currently operating on", "CLUSTER_ALREADY_HAS_OPERATION")
"""What a cluster says that is busy with another operation; older servers say it without FAILED_PRECONDITION."""


def class_of(code: int, status: str, message: str) -> type[MulticlusterError]:
    """Return the narrowest class of ours for an HTTP code, a canonical status and Google's sentence."""
    if "quota" in message.lower() and "GPUS" in message:
        return NodePoolLimitError
    if code == HTTPStatus.BAD_REQUEST and (status == "FAILED_PRECONDITION" or any(lock in message for lock in LOCKS)):
        return NodePoolBusyError
    if status == "ABORTED":  # an etag that is not the newest any more
        return NodePoolBusyError
    if code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return CloudUnavailableError
    return CLASSES.get(code, NodePoolRefusedError)


def refusal(what: str, code: int, body: Mapping[str, Any]) -> MulticlusterError:
    """Return the error for an answer that is none; *what* names the call and its object."""
    error = body.get("error")
    error = error if isinstance(error, dict) else {}
    status, message = str(error.get("status", "")), str(error.get("message", "no reason was given"))
    kind = class_of(code, status, message)
    text = f"{what}: {code} {status}: {message}"
    if kind is NodePoolNotFoundError and "/nodePools/" not in message:
        # a missing cluster says nothing about a pool: whoever deletes must not take it for success
        return NodePoolRefusedError(f"{text} Check projectId, location and clusterName in the registry")
    return kind(text)


@contextmanager
def transport_errors(what: str) -> Iterator[None]:
    """Let no error of requests or google-auth out."""
    try:
        yield
    except TransportError as error:
        raise CloudUnavailableError(f"{what}: {error}") from error
    except RefreshError as error:
        kind = CredentialUnavailableError if error.retryable else CredentialError
        raise kind(f"{what}: Google gives no token: {error}") from error
    except (DefaultCredentialsError, GoogleAuthError) as error:
        raise CredentialError(f"{what}: {error}") from error
    except RequestException as error:
        raise CloudUnavailableError(f"{what}: {error}") from error
