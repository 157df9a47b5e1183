"""Show addresses without the passwords in them."""

from __future__ import annotations

import re

_USER = re.compile(r"(?<=://)[^\s'\"]*@")
"""Up to the last @: a password may hold any character, and what is cut too short shows one."""


def redacted(text: str) -> str:
    """Return *text*, an address or a text around some, with ``***`` for each user name and password."""
    return _USER.sub("***@", text)
