"""Build Google credentials that renew themselves."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import google.auth
from google.auth import impersonated_credentials
from google.auth.credentials import Scoped, with_scopes_if_required
from google.oauth2 import service_account

from multicluster.errors import CredentialError
from multicluster.kinds.gke.connection import Connections, GoogleConnection, read_connection
from multicluster.kinds.gke.options import GoogleCredentials

SCOPES = (
    "https://www.googleapis.com/auth/cloud-platform",
    # Without it the Kubernetes user is a number, and RBAC on the e-mail does not match.
    "https://www.googleapis.com/auth/userinfo.email",
)
IAM_OVERRIDE = "CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS"
"""gcloud's own variable for another address of the IAM credentials API (a private one, a simulator)."""


def google_credentials(options: GoogleCredentials, *, connections: Connections, name: str) -> Any:
    """Return credentials of google-auth; *name* is the cluster's, for errors.

    May ask the metadata server whether there is one. Raises CredentialError for a file or connection that cannot be
    used, and what google-auth raises otherwise.
    """
    connection = GoogleConnection(key_path=options.service_account_file)
    if options.connection:
        connection = read_connection(options.connection, connections, name=name)
    credentials = _source(connection, name)
    for principal in (*connection.impersonate, *options.impersonate):
        credentials = impersonated_credentials.Credentials(
            source_credentials=credentials,
            target_principal=principal,
            target_scopes=list(SCOPES),
            iam_endpoint_override=_iam_endpoint(principal),
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


def _source(connection: GoogleConnection, name: str) -> Any:
    if connection.key is not None:
        return _key_credentials(dict(connection.key), name)
    if connection.key_path is not None:
        path = Path(connection.key_path).expanduser()
        try:
            return service_account.Credentials.from_service_account_file(str(path), scopes=SCOPES)
        except OSError as error:
            raise CredentialError(f"cluster {name!r}: the service account's key cannot be read: {error}") from error
        except ValueError as error:
            raise CredentialError(f"cluster {name!r}: {path} is no key of a service account: {error}") from error
    credentials, _project = google.auth.default(scopes=list(SCOPES))
    return with_scopes_if_required(credentials, SCOPES) if isinstance(credentials, Scoped) else credentials


def _key_credentials(key: dict[str, Any], name: str) -> Any:
    try:
        return service_account.Credentials.from_service_account_info(key, scopes=SCOPES)
    except ValueError as error:
        raise CredentialError(f"cluster {name!r}: keyfile_dict is no key of a service account: {error}") from error


def _iam_endpoint(principal: str) -> str | None:
    override = os.environ.get(IAM_OVERRIDE)
    if not override:
        return None
    return f"{override.rstrip('/')}/v1/projects/-/serviceAccounts/{principal}:generateAccessToken"
