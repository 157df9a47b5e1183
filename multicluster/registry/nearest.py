"""Say which known name was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

SHOWN = 10


def hint(name: object, known: Iterable[str]) -> str:
    """Return ``did you mean 'x'?``, or the known names where none is near."""
    names = list(known)
    near = difflib.get_close_matches(str(name), names, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    if not names:
        return "there are none"
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"known: {', '.join(names[:SHOWN])}{more}"
