"""Read tokens from a file that somebody else keeps fresh."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from multicluster.access.clock import Clock
from multicluster.access.token import Token
from multicluster.errors import CredentialError

REREAD_AFTER = timedelta(minutes=1)
"""As client-go does: the kubelet replaces a projected token when 80 % of its life is over."""


class TokenFile:
    """A token source that reads the file anew each minute, and after a refusal."""

    def __init__(self, path: Path, *, name: str, clock: Clock) -> None:
        self._path = path
        self._name = name
        self._clock = clock

    def mint(self) -> Token:
        """Return the token in the file. Raises CredentialError when there is none."""
        try:
            value = self._path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise CredentialError(f"cluster {self._name!r}: its token cannot be read: {error}") from error
        if not value:
            raise CredentialError(f"cluster {self._name!r}: the token file {self._path} is empty")
        if not value.isascii() or not value.isprintable() or " " in value:
            raise CredentialError(
                f"cluster {self._name!r}: the token file {self._path} holds white space or other characters that no "
                "token has"
            )
        return Token(
            value=value, expires_at=self._clock() + REREAD_AFTER, subject=f"the service account in {self._path}"
        )
