"""Translate what boto3 raises on the way to a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004  botocore's name
    CredentialRetrievalError,
    HTTPClientError,
    MetadataRetrievalError,
)

from multicluster.errors import AccessError, ClusterUnreachableError, CredentialError, CredentialUnavailableError
from multicluster.kinds.eks.credential_process import PROCESS

DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "UnauthorizedOperation",
        "UnrecognizedClientException",
    }
)
BUSY = frozenset({"IDPCommunicationError", "RequestLimitExceeded", "Throttling", "ThrottlingException"})
LATER = (ConnectionError, HTTPClientError, MetadataRetrievalError)


@contextmanager
def credential_errors(name: str, subject: str) -> Iterator[None]:
    """Turn errors of finding, assuming or renewing credentials into CredentialError, transient where it is."""
    try:
        yield
    except ClientError as error:
        kind = CredentialUnavailableError if _transient(error) else CredentialError
        hint = " (a role assumed by another role lasts an hour at most)" if "1 hour" in str(error) else ""
        raise kind(f"cluster {name!r}: AWS refuses credentials for {subject}: {error}{hint}") from error
    except CredentialRetrievalError as error:
        if error.kwargs.get("provider") != PROCESS:
            raise CredentialError(f"cluster {name!r}: no AWS credentials from {subject}: {error}") from error
        raise CredentialError(_process_text(name, subject)) from None  # its text is what the command said
    except BotoCoreError as error:
        kind = CredentialUnavailableError if isinstance(error, LATER) else CredentialError
        raise kind(f"cluster {name!r}: no AWS credentials from {subject}: {error}") from error
    except (ValueError, OSError) as error:  # botocore lets them pass: a file that is not there, an address that is none
        raise CredentialError(f"cluster {name!r}: no AWS credentials from {subject}: {error}") from error


@contextmanager
def describe_errors(name: str, cluster_name: str, region: str, subject: str) -> Iterator[None]:
    """Turn errors of DescribeCluster into AccessError and its kin."""
    what = f"cluster {name!r}: DescribeCluster of {cluster_name!r} in {region} as {subject}"
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code == "ResourceNotFoundException":
            text = f"cluster {name!r}: no EKS cluster {cluster_name!r} in {region} of the account of {subject}"
            raise AccessError(f"{text}; check clusterName, region and credentials in the registry") from error
        if code in DENIED:
            raise CredentialError(f"{what} is refused: {error}; allow eks:DescribeCluster, or pin endpoint") from error
        raise (ClusterUnreachableError if _transient(error) else AccessError)(f"{what} failed: {error}") from error
    except BotoCoreError as error:
        kind = ClusterUnreachableError if isinstance(error, LATER) else AccessError
        raise kind(f"{what} failed: {error}") from error


def _process_text(name: str, subject: str) -> str:
    return (
        f"cluster {name!r}: no AWS credentials from {subject}: its credential_process cannot be started, failed, took "
        "too long, or printed something else than credentials; run it by hand to see more"
    )


def _transient(error: ClientError) -> bool:
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    code = error.response.get("Error", {}).get("Code", "")
    return status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS or code in BUSY
