"""Write text that others wrote so that no terminal and no log takes it for more than text."""

from __future__ import annotations

import re

_COMMANDS = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters (a terminal obeys them), those that turn the direction of writing, and halves of characters."""


def printable(text: str, *, keep: str = "") -> str:
    r"""Return *text* with ``\u001b``, as JSON has it, for ESC and the like; what *keep* holds stays."""
    return _COMMANDS.sub(lambda found: found[0] if found[0] in keep else f"\\u{ord(found[0]):04x}", text)
