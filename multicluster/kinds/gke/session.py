"""Keep credentials, and what speaks to Google with them, together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

from google.auth.transport.requests import AuthorizedSession, Request

from multicluster.access.single_flight import PerProcessLock


@dataclass(frozen=True, kw_only=True)
class GoogleSession:
    """Credentials that several clusters share; whoever refreshes them holds ``lock``."""

    credentials: Any = field(repr=False)
    request: Request
    http: AuthorizedSession
    lock: PerProcessLock

    @classmethod
    def of(cls, credentials: Any) -> Self:
        """Return a session for *credentials*; no network is used."""
        return cls(
            credentials=credentials, request=Request(), http=AuthorizedSession(credentials), lock=PerProcessLock()
        )
