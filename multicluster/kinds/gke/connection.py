"""Read Google credentials out of an Airflow connection."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from multicluster.errors import CredentialError

Connections = Callable[[str], Mapping[str, Any]]

PREFIX = "extra__google_cloud_platform__"
UNDERSTOOD = frozenset({"key_path", "keyfile_dict", "impersonation_chain"})
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
    chain = extra.get("impersonation_chain", ())
    if isinstance(chain, str):
        chain = tuple(part.strip() for part in chain.split(","))
    return GoogleConnection(key_path=extra.get("key_path"), key=_key(extra, where), impersonate=tuple(chain))


def _key(extra: Mapping[str, Any], where: str) -> Mapping[str, Any] | None:
    given = extra.get("keyfile_dict")
    if not isinstance(given, str):
        return given
    try:
        parsed: Mapping[str, Any] = json.loads(given)
    except ValueError as error:
        raise CredentialError(f"{where}: keyfile_dict is not JSON: {type(error).__name__}") from None
    return parsed
