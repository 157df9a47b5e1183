"""Translate what boto3 raises about node groups: one table, code to class."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    MetadataRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
)
from botocore.exceptions import ConnectionError as BotoConnectionError

from multicluster.errors import (
    CloudUnavailableError,
    CredentialError,
    MulticlusterError,
    NodePoolBusyError,
    NodePoolLimitError,
    NodePoolNotFoundError,
    NodePoolRefusedError,
)

CLASSES: dict[str, type[MulticlusterError]] = {
    "ResourceNotFoundException": NodePoolNotFoundError,
    "NotFoundException": NodePoolNotFoundError,  # TagResource
    "ResourceInUseException": NodePoolBusyError,
    "InvalidRequestException": NodePoolBusyError,  # "invalid given the state of the cluster"
    "ResourceContentionFault": NodePoolBusyError,
    "ResourcePropagationDelayException": NodePoolBusyError,  # a role that was just made
    "ConflictException": NodePoolBusyError,  # of a schedule that was not there a moment ago
    "ResourceLimitExceededException": NodePoolLimitError,
    "LimitExceededException": NodePoolLimitError,
    "ServiceQuotaExceededException": NodePoolLimitError,
    "InvalidParameterException": NodePoolRefusedError,
    "InvalidParameterValue": NodePoolRefusedError,
    "ClientException": NodePoolRefusedError,
    "ValidationError": NodePoolRefusedError,
    "ValidationException": NodePoolRefusedError,
    "AccessDenied": NodePoolRefusedError,
    "AccessDeniedException": NodePoolRefusedError,
    "UnauthorizedOperation": NodePoolRefusedError,
    "ExpiredToken": CredentialError,
    "ExpiredTokenException": CredentialError,
    "RequestExpired": CredentialError,  # EC2's word for both, a token and a signature
    "IncompleteSignature": CredentialError,
    "InvalidClientTokenId": CredentialError,
    "InvalidSignatureException": CredentialError,
    "AuthFailure": CredentialError,
    "SignatureDoesNotMatch": CredentialError,
    "UnrecognizedClientException": CredentialError,
    "ServerException": CloudUnavailableError,
    "InternalServerException": CloudUnavailableError,
    "ServiceUnavailableException": CloudUnavailableError,
    "InternalFailure": CloudUnavailableError,
    "InternalError": CloudUnavailableError,
    "RequestLimitExceeded": CloudUnavailableError,
    "Throttling": CloudUnavailableError,
    "ThrottlingException": CloudUnavailableError,
    "TooManyRequestsException": CloudUnavailableError,
    "PriorRequestNotComplete": CloudUnavailableError,
}
NO_RIGHT = ("missing permissions", "not authorized")
"""What EKS says, as InvalidRequestException, when it asked another service on our behalf and was refused."""
DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
RIGHTS = "(infra/iam/aws/node-pools.json holds the rights that node pools need)"
NO_CREDENTIALS = (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError)
NO_ANSWER = (BotoConnectionError, HTTPClientError, MetadataRetrievalError)


def class_of(code: str, status: int) -> type[MulticlusterError]:
    """Return the narrowest class of ours for an AWS error code and HTTP status."""
    if code in CLASSES:
        return CLASSES[code]
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS:
        return CloudUnavailableError
    return NodePoolRefusedError


@contextmanager
def node_pool_errors(what: str) -> Iterator[None]:
    """Let only errors of ours out; *what* names the call and its object."""
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        message = error.response.get("Error", {}).get("Message", "")
        kind = class_of(code, error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        if kind is NodePoolNotFoundError and "cluster found" in message.lower():
            # a missing cluster says nothing about a pool: whoever deletes must not take it for success
            raise NodePoolRefusedError(f"{what}: {message} Check clusterName and region in the registry") from error
        if kind is NodePoolBusyError and any(words in message for words in NO_RIGHT):
            kind = NodePoolRefusedError
        raise kind(f"{what}: {code}: {message}{_hint(code, message)}") from error
    except NO_CREDENTIALS as error:
        raise CredentialError(f"{what}: {error}") from error
    except NO_ANSWER as error:
        raise CloudUnavailableError(f"{what}: {error}") from error
    except BotoCoreError as error:
        raise NodePoolRefusedError(f"{what}: {error}") from error


def _hint(code: str, message: str) -> str:
    """Return the next step, where a code has one."""
    if "Signature expired" in message or "not yet current" in message:
        return " Check the clock of this machine"
    if CLASSES.get(code) is CredentialError:
        return " Renew the cluster's credentials, or name others in the registry"
    return f" {RIGHTS}" if code in DENIED else ""
