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
    "a JSON web token": r"(?<=[\w-]{8})\.eyJ[\w-]{8,}(?:\.[\w-]+)?",
    "a Google access token": r"\bya29\.[\w-]{20,}",
    "a Google API key": r"\bAIza[\w-]{35}",
    "an EKS token": r"\bk8s-aws-v1\.[\w-]{20,}",
    "an AWS secret key": r"(?i:secret_?(?:access_?)?key)\W{1,5}[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])",
    "a GitHub token": r"\bgh[pousr]_\w{30,}",
    "a private key": r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----|LS0tLS1CRUdJTi(?:BQUklWQVRF|BSU0EgUFJJVkFURS|"
    r"BFQyBQUklWQVRF|BPUEVOU1NIIFBSSVZBVEUg|BFTkNSWVBURUQgUFJJVkFURS|BEU0EgUFJJVkFURS)",
    "a password in an address": r"://[^\s/:@\"']+:[^\s/@\"']+@",
}
"""Each reads a text in one pass: the part that repeats comes last, or is bounded. A JSON web token is known by its
second part, because a text may hold any number of first parts.
"""
_ANY = re.compile("|".join(SHAPES.values()))
_MARKS = re.compile(r"AKIA|ASIA|\.eyJ|ya29\.|AIza|k8s-aws-v1\.|gh[pousr]_|PRIVATE KEY|LS0tLS1CRUdJTiB(?:[QSF]|PU|EU)")
_ENDINGS = ("token", "password", "passwd", "secret", "secretkey", "accesskey", "accesskeyid", "apikey", "privatekey",
            "keydata")  # fmt: skip
_AWS_SECRET = re.compile(r"(?<![A-Za-z0-9/+])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])")
"""As many a digest looks; it is taken for a secret only below a name of one, or beside an access key id."""
_AWS_NAMES = re.compile("aws|secret|passw|credential|accesskey|apikey|privatekey")
_AWS_ID = re.compile(SHAPES["an AWS access key id"])
_ORNAMENT = str.maketrans("", "", "-_ \"'")
_USER_IN_ADDRESS = re.compile(r"://[^\s/@\"']*@")


def may_hold_secrets(text: str) -> bool:
    """Tell cheaply whether *text* needs a closer look; never wrong when it says no."""
    if _MARKS.search(text) or _USER_IN_ADDRESS.search(text):
        return True
    if "\\" in text or "?" in text or _AWS_SECRET.search(text):  # escaped letters and keys that stand apart, too
        return True
    bare = text.lower().translate(_ORNAMENT)
    return "secretkey" in bare or "secretaccesskey" in bare or any(f"{ending}:" in bare for ending in _ENDINGS)


def secrets_in_comments(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield (line, column, what it looks like) for the first secret shape in the comment of each line."""
    for number, line in enumerate(text.split("\n"), 1):
        comment = line.find("#")
        if comment >= 0 and (found := _ANY.search(line, comment)):
            yield number, found.start() + 1, shape_of(line[comment:]) or "a secret"


def secrets_in(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Yield (path, what it looks like) for each secret in a plain value."""
    if isinstance(value, dict):
        beside_id = any(isinstance(one, str) and _AWS_ID.search(one) for one in value.values())
        for key, below in value.items():
            if _normal(key) in KEYS and _says_something(below):
                yield (*path, key), "a secret"
            elif (beside_id or _AWS_NAMES.search(_normal(key))) and _is_aws_secret(below):
                yield (*path, key), "an AWS secret key"
            else:
                yield from secrets_in(below, (*path, key))
    elif isinstance(value, list):
        for at, below in enumerate(value):
            yield from secrets_in(below, (*path, at))
    elif isinstance(value, str) and (shape := shape_of(value)):
        yield path, shape


def _says_something(value: Any) -> bool:
    """Tell whether there is a text or a number in *value*."""
    if isinstance(value, dict | list):
        return any(_says_something(one) for one in (value.values() if isinstance(value, dict) else value))
    return value not in (None, "") and not isinstance(value, bool)


def _is_aws_secret(value: Any) -> bool:
    mixed = ("[a-z]", "[A-Z]", "[0-9]")
    return isinstance(value, str) and bool(_AWS_SECRET.fullmatch(value)) and all(re.search(one, value) for one in mixed)


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
