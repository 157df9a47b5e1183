"""Answers of a ground made comparable: what differs from one run to the next is replaced by a word for it."""

from __future__ import annotations

import re
from typing import Any

_WORDS = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<uid>"),
    (re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})"), "<time>"),
    (re.compile(r"\b[0-9a-f]{32,64}\b"), "<hash>"),
    (re.compile(r"\b\d{1,3}(\.\d{1,3}){3}(:\d+)?\b"), "<address>"),
)
_LEFT_OUT = ("managedFields",)
_VERSIONS = ("resourceVersion",)


def comparable(value: Any, names: dict[str, str]) -> Any:
    """Return an answer without what one run alone knows. `names` maps such names to words."""
    if isinstance(value, dict):
        return {
            comparable(key, names): "<version>" if key in _VERSIONS and item else comparable(item, names)
            for key, item in sorted(value.items())
            if key not in _LEFT_OUT
        }
    if isinstance(value, list | tuple):
        return [comparable(item, names) for item in value]
    return _text(value, names) if isinstance(value, str) else value


def differences(one: Any, other: Any, path: str = "") -> list[str]:
    """Return where two comparable answers differ, a line for each place."""
    if isinstance(one, dict) and isinstance(other, dict):
        return [
            line
            for key in sorted({*one, *other})
            for line in differences(one.get(key, "<absent>"), other.get(key, "<absent>"), f"{path}.{key}")
        ]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [
            line
            for index, pair in enumerate(zip(one, other, strict=True))
            for line in differences(*pair, f"{path}[{index}]")
        ]
    return [] if one == other else [f"{path or '.'}: {_short(one)} != {_short(other)}"]


def _text(value: str, names: dict[str, str]) -> str:
    for name, word in names.items():
        value = value.replace(name, word)
    for pattern, word in _WORDS:
        value = pattern.sub(word, value)
    return value


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 300 else text[:297] + "..."
