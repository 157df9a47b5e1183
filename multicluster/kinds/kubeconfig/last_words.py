"""Show what a failed command said last, without what may be a secret in it."""

from __future__ import annotations

import re
from collections.abc import Iterable

MOST_CHARACTERS = 200
HIDDEN = "[...]"
SHORTEST_SECRET = 4
LONGEST_WORD = 24
LONGEST_PATH = 40
NAMED = re.compile(
    r"""((?:(?:\w*(?:token|secret|passw|pwd|authorization|credential|cookie|code|key)\w*["']?\s*[:=]\s*["']?"""
    r"""|\b(?:bearer|basic)\s+))+)[^\s"',;]{4,}""",
    re.IGNORECASE,
)
"""What follows the name of a secret."""
LONG = re.compile(r"[\w.~+/=%-]{6,}")
IN_URL = re.compile(r"://[^\s/@]+@|\?\S+")


def last_words(said: bytes, secrets: Iterable[str] = ()) -> str:
    """Return the last line of *said*, with *secrets* and whatever looks like a token replaced."""
    lines = said.decode(errors="replace").split("\n")
    line = next((text.strip() for text in reversed(lines) if text.strip()), "")
    for secret in sorted({text for text in secrets if len(text) >= SHORTEST_SECRET}, key=len, reverse=True):
        line = line.replace(secret, HIDDEN)
    line = IN_URL.sub(HIDDEN, line)
    line = NAMED.sub(lambda found: found[1] + HIDDEN, line)
    line = LONG.sub(lambda found: HIDDEN if _like_a_token(found[0]) else found[0], line)
    return "".join(character if character.isprintable() else " " for character in line)[:MOST_CHARACTERS]


def _like_a_token(word: str) -> bool:
    """Tell a token from a long word or a path: it has digits among letters, or is longer than any word."""
    longest = max(re.split(r"[/.-]", word), key=len)
    mixed = any(part.isdigit() for part in word) and any(part.isalpha() for part in word)
    return mixed or len(word) > LONGEST_PATH or len(longest) > LONGEST_WORD
