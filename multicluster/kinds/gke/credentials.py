"""Build Google credentials that renew themselves."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import google.auth
from google.auth.credentials import Scoped, with_scopes_if_required
from google.auth.exceptions import DefaultCredentialsError
from google.oauth2 import service_account

from multicluster.access.kind import Network
from multicluster.errors import CredentialError, CredentialUnavailableError
from multicluster.kinds.gke.bounded_request import BoundedRequest
from multicluster.kinds.gke.connection import Connections, GoogleConnection, read_connection
from multicluster.kinds.gke.impersonation import Impersonation
from multicluster.kinds.gke.options import GoogleCredentials

SCOPES = (
    "https://www.googleapis.com/auth/cloud-platform",
    # Without it the Kubernetes user is a number, and RBAC on the e-mail does not match.
    "https://www.googleapis.com/auth/userinfo.email",
)
KEY_FIELDS = ("private_key", "client_email", "token_uri")
NOT_UNDERSTOOD = (ValueError, TypeError, AttributeError, KeyError, RecursionError)
"""What google-auth raises over a file that is JSON of another shape."""
IAM_OVERRIDE = "CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS"
"""gcloud's own variable for another address of the IAM credentials API (a private one, a simulator)."""


def google_credentials(options: GoogleCredentials, *, connections: Connections, name: str, network: Network) -> Any:
    """Return credentials of google-auth; *name* is the cluster's, for errors.

    May ask the metadata server whether there is one. Raises CredentialError for a file or connection that cannot be
    used, and what google-auth raises otherwise.
    """
    connection = GoogleConnection(key_path=options.service_account_file)
    if options.connection:
        connection = read_connection(options.connection, connections, name=name)
    credentials = _source(connection, name, network)
    for principal in (*connection.impersonate, *options.impersonate):
        credentials = Impersonation(
            source_credentials=credentials,
            target_principal=principal,
            target_scopes=list(SCOPES),
            iam_endpoint_override=_iam_endpoint(principal, name),
        )
    return credentials


def whose(options: GoogleCredentials) -> str:
    """Return the identity in words, as far as it is known without asking Google."""
    base = "the application default credentials"
    if options.service_account_file:
        base = f"the service account in {options.service_account_file}"
    elif options.connection:
        base = f"the connection {options.connection!r}"
    return f"{options.impersonate[-1]} (by way of {base})" if options.impersonate else base


def _source(connection: GoogleConnection, name: str, network: Network) -> Any:
    if connection.key is not None:
        return _of_key(dict(connection.key), "keyfile_dict", name)
    if connection.key_path is not None:
        path = Path(connection.key_path).expanduser()
        return _of_key(_read(path, name), str(path), name)
    credentials = _application_default(name, BoundedRequest(network))
    return with_scopes_if_required(credentials, SCOPES) if isinstance(credentials, Scoped) else credentials


def _read(path: Path, name: str) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CredentialError(f"cluster {name!r}: the service account's key cannot be read: {error}") from error
    except (ValueError, RecursionError):
        raise CredentialError(f"cluster {name!r}: {path} is no key of a service account: it is not JSON") from None


def _of_key(key: Any, what: str, name: str) -> Any:
    wrong = [field for field in KEY_FIELDS if isinstance(key, Mapping) and not isinstance(key.get(field, ""), str)]
    if wrong:
        raise CredentialError(f"cluster {name!r}: {what} is no key of a service account: {', '.join(wrong)} is no text")
    try:
        return service_account.Credentials.from_service_account_info(key, scopes=SCOPES)
    except NOT_UNDERSTOOD as error:
        # A ValueError is google-auth's own; the others come from a key of another shape, and may quote it.
        words = str(error) if isinstance(error, ValueError) else type(error).__name__
        raise CredentialError(f"cluster {name!r}: {what} is no key of a service account: {words}") from None


def _application_default(name: str, request: BoundedRequest) -> Any:
    try:
        credentials, _project = google.auth.default(scopes=list(SCOPES), request=request)
    except DefaultCredentialsError as error:
        if request.met_trouble:
            raise CredentialUnavailableError(
                f"cluster {name!r}: the metadata server took the connection and {request.met_trouble}; there are no "
                "other application default credentials"
            ) from error
        raise
    except (OSError, *NOT_UNDERSTOOD) as error:
        words = (
            str(error) if isinstance(error, OSError) else f"it is no JSON object of Google's ({type(error).__name__})"
        )
        raise CredentialError(
            f"cluster {name!r}: the file of the application default credentials cannot be used: {words}; correct "
            "GOOGLE_APPLICATION_CREDENTIALS, or run gcloud auth application-default login"
        ) from None
    return credentials


def _iam_endpoint(principal: str, name: str) -> str | None:
    """Return where to ask for tokens of *principal*; the source's own token, which is more, goes there."""
    override = os.environ.get(IAM_OVERRIDE)
    if not override:
        return None
    if not override.startswith("https://"):
        raise CredentialError(
            f"cluster {name!r}: {IAM_OVERRIDE} must begin with https://: a Google token is sent there"
        )
    return f"{override.rstrip('/')}/v1/projects/-/serviceAccounts/{principal}:generateAccessToken"
