"""Read Google credentials out of an Airflow connection."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from multicluster.errors import CredentialError

Connections = Callable[[str], Mapping[str, Any]]

PREFIX = "extra__google_cloud_platform__"
UNDERSTOOD = frozenset({"key_path", "keyfile_dict", "impersonation_chain"})
ACCOUNT = re.compile(r"[^@\s/?#]+@[^@\s/?#]+\Z")
OF_NO_EFFECT = frozenset({"project", "scope", "num_retries"})
"""The cluster's own project and the scopes that Kubernetes needs count."""


@dataclass(frozen=True, kw_only=True)
class GoogleConnection:
    """What a connection says about credentials."""

    key_path: str | None = None
    key: Mapping[str, Any] | None = field(default=None, repr=False)
    impersonate: tuple[str, ...] = ()


def read_connection(connection_id: str, connections: Connections, *, name: str) -> GoogleConnection:
    """Read a connection of type ``google_cloud_platform``, as the google provider documents it.

    Raises CredentialError when it is not there, is of another type, or holds a setting that is not understood.
    """
    where = f"cluster {name!r}, connection {connection_id!r}"
    try:
        connection = connections(connection_id)
    except LookupError as error:
        raise CredentialError(f"{where}: {error}") from error
    if connection.get("conn_type") != "google_cloud_platform":
        raise CredentialError(f"{where}: is of type {connection.get('conn_type')!r}, not 'google_cloud_platform'")
    extra = {key.removeprefix(PREFIX): value for key, value in (connection.get("extra") or {}).items() if value}
    unknown = sorted(set(extra) - UNDERSTOOD - OF_NO_EFFECT)
    if unknown:
        raise CredentialError(
            f"{where}: {', '.join(unknown)} is not understood; understood are {', '.join(sorted(UNDERSTOOD))}"
        )
    path = extra.get("key_path")
    if path is not None and not isinstance(path, str):
        raise CredentialError(f"{where}: key_path must be a text")
    return GoogleConnection(key_path=path, key=_key(extra, where), impersonate=_chain(extra, where))


def _chain(extra: Mapping[str, Any], where: str) -> tuple[str, ...]:
    given = extra.get("impersonation_chain", ())
    if isinstance(given, str):
        given = [part.strip() for part in given.split(",")]
    if not isinstance(given, list | tuple) or not all(isinstance(item, str) and ACCOUNT.match(item) for item in given):
        raise CredentialError(f"{where}: impersonation_chain must be the e-mail addresses of service accounts")
    return tuple(given)


def _key(extra: Mapping[str, Any], where: str) -> Mapping[str, Any] | None:
    given = extra.get("keyfile_dict")
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except (ValueError, RecursionError) as error:
            raise CredentialError(f"{where}: keyfile_dict is not JSON: {type(error).__name__}") from None
    if given is not None and not isinstance(given, Mapping):
        raise CredentialError(f"{where}: keyfile_dict must be the key of a service account, a JSON object")
    return given
