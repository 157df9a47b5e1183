"""Hold JSON against the schemas of a discovery document."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

INTEGER = re.compile(r"-?\d+")
UNSIGNED = re.compile(r"\d+")
DURATION = re.compile(r"-?\d+(\.\d{1,9})?s")
TIMES = ("RFC3339", "RFC 3339")
LIMITS = {"int32": (-(2**31), 2**31 - 1), "uint32": (0, 2**32 - 1)}
URL = re.compile(r"((\[Output Only\]|Output only\.) )*(The |Server-defined )?UR[LI] (of|for) (the|this|a) ?\w+")
PYTHON: dict[str, tuple[type, ...]] = {
    "string": (str,), "boolean": (bool,), "integer": (int,), "number": (int, float), "object": (dict,),
    "array": (list,),
}  # fmt: skip


@dataclass(frozen=True)
class Schemas:
    """The schemas of one API, by name."""

    all: Mapping[str, Any]

    def asked(self, value: Any, schema: Mapping[str, Any]) -> Iterator[str]:
        """Hold a request's body against a schema; what only answers may hold is a finding.

        Null is as good as nothing (ProtoJSON); google-auth sends it.
        """
        yield from self._value(value, schema, "", asked=True)

    def given(self, value: Any, schema: Mapping[str, Any]) -> Iterator[str]:
        """Hold an answer against a schema."""
        yield from self._value(value, schema, "", asked=False)

    def _value(self, value: Any, schema: Mapping[str, Any], where: str, *, asked: bool) -> Iterator[str]:
        if asked and value is None:
            return
        if asked and where and is_read_only(schema):
            yield f"{where}: is for answers only"
        if "$ref" in schema:
            schema = self.all[schema["$ref"]]
        kind = schema["type"]
        if kind == "any":
            return
        if not isinstance(value, PYTHON[kind]) or (isinstance(value, bool) and kind != "boolean"):
            yield f"{where}: {value!r} is no {kind}"
        elif kind == "object":
            yield from self._object(value, schema, where, asked=asked)
        elif kind == "array":
            for number, inner in enumerate(value):
                yield from self._value(inner, schema["items"], f"{where}[{number}]", asked=asked)
        else:
            yield from scalar_findings(value, schema, where)

    def _object(self, value: dict[str, Any], schema: Mapping[str, Any], where: str, *, asked: bool) -> Iterator[str]:
        known, rest = schema.get("properties", {}), schema.get("additionalProperties")
        for name, inner in value.items():
            rule = known.get(name, rest)
            if rule is None:
                yield f"{where}.{name}: {schema.get('id', 'the object')} has no such property"
            else:
                yield from self._value(inner, rule, f"{where}.{name}", asked=asked)


def is_read_only(schema: Mapping[str, Any]) -> bool:
    """Tell whether a property stands in answers only: Google marks it by a flag, or only in the description."""
    text = schema.get("description", "")
    return bool(schema.get("readOnly")) or text.lower().startswith(("output only", "[output only]"))


def scalar_findings(value: Any, schema: Mapping[str, Any], where: str) -> Iterator[str]:
    """Hold a scalar against its enum, pattern and format; parameters of a query are text, whatever their type."""
    if schema.get("enum") and value not in schema["enum"]:
        yield f"{where}: {value!r} is none of {', '.join(schema['enum'])}"
    if schema.get("pattern") and not re.search(schema["pattern"], str(value)):
        yield f"{where}: {value!r} does not match {schema['pattern']}"
    if isinstance(value, str) and schema["type"] == "boolean" and value not in {"true", "false"}:
        yield f"{where}: {value!r} is no boolean"
    low, high = LIMITS.get(schema.get("format", ""), (None, None))
    low, high = schema.get("minimum", low), schema.get("maximum", high)
    if schema["type"] == "integer" and not INTEGER.fullmatch(str(value)):
        yield f"{where}: {value!r} is no integer"
    elif schema["type"] == "integer" and ((low and int(value) < int(low)) or (high and int(value) > int(high))):
        yield f"{where}: {value!r} is not between {low} and {high}"
    elif schema["type"] == "string" and not well_formed(value, schema):
        yield f"{where}: {value!r} is not written as {schema.get('format') or schema['description']!r} asks"


def well_formed(text: str, schema: Mapping[str, Any]) -> bool:
    """Tell whether a string is written as its format asks; some formats stand in the description only."""
    form, description = schema.get("format", ""), schema.get("description", "")
    if form in {"int64", "uint64"}:
        return bool((UNSIGNED if form == "uint64" else INTEGER).fullmatch(text))
    if form == "google-duration":
        return bool(DURATION.fullmatch(text))
    if form == "byte":
        return is_base64(text)
    if form in {"google-datetime", "date-time"} or any(name in description for name in TIMES):
        return is_rfc3339(text)
    if URL.match(" ".join(description.split())):
        return text.startswith("https://")
    return True


def is_rfc3339(text: str) -> bool:
    """Tell whether a text is a time with its zone."""
    try:
        return "T" in text and dt.datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def is_base64(text: str) -> bool:
    """Tell whether a text is base64."""
    try:
        return bool(base64.b64decode(text, validate=True)) or not text
    except binascii.Error:
        return False
