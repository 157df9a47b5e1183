"""Read AWS credentials out of an Airflow connection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.credentials import Credentials
from pydantic import ValidationError

from multicluster.errors import CredentialError
from multicluster.kinds.eks.options import AwsRole
from multicluster.kinds.eks.validation_words import without_input

Connections = Callable[[str], Mapping[str, Any]]

UNDERSTOOD = frozenset(
    {
        "aws_access_key_id",
        "aws_secret_access_key",
        "aws_session_token",
        "profile_name",
        "session_kwargs",
        "role_arn",
        "assume_role_method",
        "assume_role_kwargs",
        "external_id",
        "region_name",  # the cluster's own region counts
    }
)
SESSION_ARGUMENTS = frozenset({"profile_name", "region_name"})
ROLE_ARGUMENTS = {"ExternalId": "external_id", "RoleSessionName": "session_name", "DurationSeconds": "duration_seconds"}


@dataclass(frozen=True, kw_only=True)
class AwsConnection:
    """What a connection says about credentials; empty, it says nothing."""

    credentials: Callable[[], Any] | None = None
    profile: str | None = None
    roles: tuple[AwsRole, ...] = ()


def read_connection(connection_id: str, connections: Connections, *, name: str) -> AwsConnection:
    """Read a connection of type ``aws``, as the amazon provider documents it.

    Raises CredentialError when it is not there, is of another type, or holds a setting that is not understood: to
    leave one out could mean another identity.
    """
    where = f"cluster {name!r}, connection {connection_id!r}"
    try:
        connection = connections(connection_id)
    except LookupError as error:
        raise CredentialError(f"{where}: {error}") from error
    extra = dict(connection.get("extra") or {})
    if connection.get("conn_type") not in ("aws", "", None):
        raise CredentialError(f"{where}: is of type {connection['conn_type']!r}, not 'aws'")
    unknown = sorted(key for key, value in extra.items() if value not in (None, "", {}) and key not in UNDERSTOOD)
    if unknown or extra.get("assume_role_method") not in (None, "", "assume_role"):
        what = ", ".join(unknown) or f"assume_role_method {extra['assume_role_method']!r}"
        raise CredentialError(f"{where}: {what} is not understood; understood are {', '.join(sorted(UNDERSTOOD))}")
    return AwsConnection(
        credentials=_static(connection, extra, where), profile=_profile(extra, where), roles=_roles(extra, where)
    )


def _profile(extra: Mapping[str, Any], where: str) -> str | None:
    session = _mapping(extra, "session_kwargs", where)
    unknown = sorted(str(key) for key, value in session.items() if value and key not in SESSION_ARGUMENTS)
    if unknown:
        raise CredentialError(
            f"{where}: session_kwargs {', '.join(unknown)} is not understood; understood are "
            f"{', '.join(sorted(SESSION_ARGUMENTS))}, and keys as login and password of the connection"
        )
    profile = extra.get("profile_name") or session.get("profile_name")
    if profile is not None and not isinstance(profile, str):
        raise CredentialError(f"{where}: profile_name must be a text")
    return profile


def _mapping(extra: Mapping[str, Any], key: str, where: str) -> Mapping[str, Any]:
    given = extra.get(key) or {}
    if not isinstance(given, Mapping):
        raise CredentialError(f"{where}: {key} must be a JSON object")
    return given


def _static(connection: Mapping[str, Any], extra: Mapping[str, Any], where: str) -> Callable[[], Any] | None:
    key = connection.get("login") or extra.get("aws_access_key_id")
    secret = connection.get("password") or extra.get("aws_secret_access_key")
    if not key and not secret:
        return None
    if not key or not secret:
        raise CredentialError(f"{where}: an access key needs both its id (login) and its secret (password)")
    return lambda: Credentials(key, secret, extra.get("aws_session_token"), method="airflow-connection")


def _roles(extra: Mapping[str, Any], where: str) -> tuple[AwsRole, ...]:
    if not extra.get("role_arn"):
        return ()
    arguments = dict(_mapping(extra, "assume_role_kwargs", where))
    if extra.get("external_id"):
        arguments.setdefault("ExternalId", extra["external_id"])
    unknown = sorted(set(arguments) - set(ROLE_ARGUMENTS))
    if unknown:
        raise CredentialError(f"{where}: assume_role_kwargs {', '.join(unknown)} is not understood")
    try:
        named = {ROLE_ARGUMENTS[key]: value for key, value in arguments.items()}
        return (AwsRole(role_arn=extra["role_arn"], **named),)
    except ValidationError as error:
        raise CredentialError(f"{where}: {without_input(error)}") from None
