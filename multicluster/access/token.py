"""A short-lived bearer token, and what mints it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from multicluster.errors import CredentialError


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What was found out about a token that an API server refused, with the next step; no secret."""

    text: str
    transient: bool = False
    """Whether whoever gives out credentials did not answer, so that the API server may have had the same trouble."""


@dataclass(frozen=True, kw_only=True)
class Token:
    """A bearer token of a cluster; its value never appears in a repr or a log."""

    value: str = field(repr=False)
    expires_at: datetime
    """When it must no longer be used, in UTC: the effective expiry, margins already taken off."""
    minted_at: datetime | None = None
    """When it was made; None when nobody knows (a token from a file)."""
    subject: str = ""
    """Whose it is and for which cluster, in words for an error's text; no secret."""
    inquire: Callable[[], Finding] | None = field(default=None, repr=False, compare=False)
    """Asks why an API server may have refused it; blocks on the network for some seconds at most, raises nothing."""

    def __post_init__(self) -> None:
        """Raise CredentialError for a value that no header can carry; later, an HTTP library would print it whole."""
        if not sendable(self.value):
            raise CredentialError(
                f"the token of {self.subject or 'a static token source'} is empty or holds white space, a control "
                "character or one beyond ASCII, which no Authorization header can carry; look at where it comes from"
            )


def sendable(text: str) -> bool:
    """Whether a header may hold *text* as one word."""
    return bool(text) and text.isascii() and text.isprintable() and " " not in text


class TokenSource(Protocol):
    """Mints tokens. Each call makes a new one; it may block on the network."""

    def mint(self) -> Token:
        """Return a new token, or raise CredentialError (CredentialUnavailableError when trying again may help)."""
        ...
