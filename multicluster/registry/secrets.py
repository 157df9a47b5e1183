"""Find secret values in a registry document, without ever repeating them.

A registry names where credentials are; it never holds them. What is looked for: keys that mean a secret with a text
below, and texts with the shape of one, in any place, also in comments.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from multicluster.registry.yaml_text import Path

KEYS = frozenset(
    (
        "token",
        "bearertoken",
        "idtoken",
        "accesstoken",
        "refreshtoken",
        "sessiontoken",
        "awssessiontoken",
        "password",
        "passwd",
        "secret",
        "clientsecret",
        "secretkey",
        "secretaccesskey",
        "awssecretaccesskey",
        "accesskeyid",
        "awsaccesskeyid",
        "apikey",
        "privatekey",
        "privatekeydata",
        "clientkeydata",
    )
)
"""Keys that hold a secret, in lower case, without ``-`` and ``_``."""

SHAPES = {
    "an AWS access key id": r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    "a JSON web token": r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}",
    "a Google access token": r"\bya29\.[\w-]{20,}",
    "a Google API key": r"\bAIza[\w-]{35}",
    "an EKS token": r"\bk8s-aws-v1\.[\w-]{20,}",
    "a GitHub token": r"\bgh[pousr]_\w{30,}",
    "a private key": r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----|"
    r"LS0tLS1CRUdJTi(?:BQUklWQVRF|BSU0EgUFJJVkFURS|BFQyBQUklWQVRF)",
    "a password in an address": r"://[^\s/:@\"']+:[^\s/@\"']+@",
}
_ANY = re.compile("|".join(SHAPES.values()))
_MARKS = ("AKIA", "ASIA", "eyJ", "ya29.", "AIza", "k8s-aws-v1.", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "PRIVATE KEY",
          "LS0tLS1CRUdJTiBQ", "LS0tLS1CRUdJTiBS", "LS0tLS1CRUdJTiBF")  # fmt: skip
_ENDINGS = ("token", "password", "passwd", "secret", "secretkey", "accesskey", "accesskeyid", "apikey", "privatekey",
            "keydata")  # fmt: skip
_ORNAMENT = str.maketrans("", "", "-_ \"'")
_USER_IN_ADDRESS = re.compile(r"://[^\s/@\"']*@")


def may_hold_secrets(text: str) -> bool:
    """Tell cheaply whether *text* needs a closer look; never wrong when it says no."""
    if any(mark in text for mark in _MARKS) or _USER_IN_ADDRESS.search(text):
        return True
    bare = text.lower().translate(_ORNAMENT)
    return any(f"{ending}:" in bare for ending in _ENDINGS)


def secrets_in_comments(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield (line, column, what it looks like) for each secret shape in a comment."""
    for found in _ANY.finditer(text):
        start = text.rfind("\n", 0, found.start()) + 1
        if "#" in text[start : found.start()]:
            line = text.count("\n", 0, start) + 1
            yield line, found.start() - start + 1, shape_of(found.group()) or "a secret"


def secrets_in(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Yield (path, what it looks like) for each secret in a plain value."""
    if isinstance(value, dict):
        for key, below in value.items():
            if isinstance(below, str) and below and _normal(key) in KEYS:
                yield (*path, key), "a secret"
            else:
                yield from secrets_in(below, (*path, key))
    elif isinstance(value, list):
        for at, below in enumerate(value):
            yield from secrets_in(below, (*path, at))
    elif isinstance(value, str) and (shape := shape_of(value)):
        yield path, shape


def shape_of(text: str) -> str | None:
    """Name the kind of secret that *text* contains, or None."""
    if not _ANY.search(text):
        return None
    return next(name for name, shape in SHAPES.items() if re.search(shape, text))


def _normal(key: str) -> str:
    return key.lower().replace("-", "").replace("_", "")


def redacted(text: str) -> str:
    """Return *text* without anything that has the shape of a secret."""
    return _ANY.sub("(a secret)", text)
