"""Tell whether something can be a bearer token."""

from __future__ import annotations


def token_text(given: object) -> str | None:
    """Return a token without white space at its ends; None when it can stand in no header or is no text at all."""
    if not isinstance(given, str):
        return None
    token = given.strip()
    return token if token and token.isascii() and token.isprintable() and " " not in token else None
