"""Read what an exec plugin printed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta
from typing import Any

from multicluster.kinds.kubeconfig.token_text import token_text

MARGIN = timedelta(seconds=30)
FOR_EVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class ExecCredential:
    """What a plugin answered."""

    token: str | None = field(repr=False)
    certificate: bytes | None
    key: bytes | None = field(repr=False)
    expires_at: datetime


class NoExecCredentialError(ValueError):
    """The text is no usable ExecCredential; says why, and quotes nothing of it."""


def read_answer(printed: bytes, version: str) -> ExecCredential:
    """Return the credential of an ExecCredential document of *version*. Raises NoExecCredentialError."""
    try:
        answer = json.loads(printed)
    except (ValueError, RecursionError) as error:
        raise NoExecCredentialError(f"it printed no ExecCredential ({type(error).__name__})") from None
    if not isinstance(answer, Mapping) or not isinstance(answer.get("status"), Mapping):
        raise NoExecCredentialError("it printed no ExecCredential with a status")
    if answer.get("apiVersion") != version:
        raise NoExecCredentialError(f"it answered in another apiVersion than the {version!r} of the kubeconfig")
    return _credential(answer["status"])


def _credential(status: Mapping[str, Any]) -> ExecCredential:
    certificate, key = _pem(status, "clientCertificateData"), _pem(status, "clientKeyData")
    token = token_text(status.get("token"))
    if status.get("token") and token is None:
        raise NoExecCredentialError("its token is no text, or holds white space or other characters no token has")
    if bool(certificate) != bool(key) or not (token or key):
        raise NoExecCredentialError("it gave neither token nor client certificate with its key")
    return ExecCredential(token=token, certificate=certificate, key=key, expires_at=_expiry(status))


def _pem(status: Mapping[str, Any], name: str) -> bytes | None:
    value = status.get(name)
    if value is not None and not isinstance(value, str):
        raise NoExecCredentialError(f"its {name} is no text")
    return value.encode(errors="replace") if value else None


def _expiry(status: Mapping[str, Any]) -> datetime:
    """Return when to run the plugin again; Go's zero time means never, as it does to client-go."""
    until = status.get("expirationTimestamp")
    if not until:
        return FOR_EVER
    try:
        moment = datetime.fromisoformat(until)
    except (ValueError, TypeError):
        moment = None
    if moment is None or moment.tzinfo is None:
        raise NoExecCredentialError("it printed no ExecCredential: expirationTimestamp is no RFC 3339 time")
    if moment.year in {MINYEAR, MAXYEAR}:
        return FOR_EVER
    return moment.astimezone(UTC) - MARGIN
