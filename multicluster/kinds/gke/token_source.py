"""Take Google access tokens from credentials that several clusters may share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from multicluster.access.clock import Clock
from multicluster.access.token import Token
from multicluster.kinds.gke.errors import credential_errors
from multicluster.kinds.gke.session import GoogleSession

MARGIN = timedelta(minutes=3, seconds=45)
"""google-auth itself calls a token expired that early."""


class GkeTokenSource:
    """Hands out the credentials' access token, refreshed when it is no longer valid or was handed out before.

    The refresh of one cluster serves the others that share the *session*.
    """

    def __init__(self, session: Callable[[], GoogleSession], *, name: str, subject: str, clock: Clock) -> None:
        self._session = session
        self._name = name
        self._subject = subject
        self._clock = clock
        self._handed_out: str | None = None

    def mint(self) -> Token:
        """Return an access token that this source has not returned before."""
        session = self._session()
        with session.lock, credential_errors(self._name, self._subject):
            credentials = session.credentials
            if not credentials.valid or credentials.token == self._handed_out:
                credentials.refresh(session.request)
            value, expiry = str(credentials.token), credentials.expiry
        self._handed_out = value
        now = self._clock()
        left = expiry.replace(tzinfo=UTC) - datetime.now(UTC) if expiry else timedelta(hours=1)
        return Token(
            value=value,
            expires_at=now + left - MARGIN,
            minted_at=now,
            subject=f"{self._subject}, good for any GKE cluster",
        )
