"""Hold values against a shape where botocore's validator is lenient: enums, upper limits, patterns."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from botocore.model import Shape


def findings(value: Any, shape: Shape, where: str = "") -> Iterator[str]:
    """Say which values are outside of what the shape allows; ``where`` is the way from the top."""
    yield from limits(value, shape, where)
    if shape.type_name == "structure":
        for name, inner in value.items():
            if name in shape.members:
                yield from findings(inner, shape.members[name], f"{where}.{name}")
    elif shape.type_name == "list":
        for number, inner in enumerate(value):
            yield from findings(inner, shape.member, f"{where}[{number}]")
    elif shape.type_name == "map":
        for key, inner in value.items():
            yield from findings(key, shape.key, f"{where} key {key!r}")
            yield from findings(inner, shape.value, f"{where}.{key}")


def limits(value: Any, shape: Shape, where: str) -> Iterator[str]:
    """Say which enum, upper limit or pattern of this one shape a value breaks."""
    allowed, most = shape.metadata.get("enum"), shape.metadata.get("max")
    if allowed and value not in allowed:
        yield f"{where}: {value!r} is none of {shape.name}: {', '.join(allowed)}"
    size = len(value) if isinstance(value, str | list | dict | bytes) else value
    if most is not None and not isinstance(size, bool) and isinstance(size, int | float) and size > most:
        yield f"{where}: {value!r} is more than {shape.name} allows: {most}"
    rule = pattern(shape.metadata.get("pattern", ""))
    if rule and isinstance(value, str) and not rule.search(value):
        yield f"{where}: {value!r} does not match {shape.name}: {rule.pattern}"


@cache
def pattern(text: str) -> re.Pattern[str] | None:
    """Read a pattern of the model; those that Python's dialect has not are left out."""
    java = text.replace(r"\p{L}\p{Z}\p{N}", r"\w\s")
    try:
        return re.compile(java) if java else None
    except re.error:
        return None
