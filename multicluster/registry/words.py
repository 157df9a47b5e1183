"""Say in plain words what pydantic found wrong; never with the offending value itself."""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from multicluster.registry.document import LABEL_PATTERN, PROXY_PATTERN, SHA256_PATTERN, SUBDOMAIN_PATTERN
from multicluster.registry.nearest import hint

PATTERNS = {
    LABEL_PATTERN: "must be an RFC 1123 label: lower-case letters, digits and '-', no '-' at either end",
    SUBDOMAIN_PATTERN: "must be an RFC 1123 name: lower-case letters, digits, '-' and '.'",
    SHA256_PATTERN: "must be a SHA-256 in lower-case hex, 64 characters",
    PROXY_PATTERN: "must be an http or https address like http://proxy:3128, without user or password",
}
NOUNS = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "model_type": "a mapping",
    "mapping_type": "a mapping",
    "dict_type": "a mapping",
    "tuple_type": "a list",
    "list_type": "a list",
}
BOUNDS = {
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "less_than": "less than {lt:g}",
    "less_than_equal": "at most {le:g}",
    "string_too_short": "at least {min_length} characters long",
    "string_too_long": "at most {max_length} characters long",
}
A_TIME = "must be a time with its offset, like 2026-11-21T18:00:00Z"


def words(error: ErrorDetails, model: type[BaseModel]) -> str:
    """Return the message for one error of *model*."""
    kind = error["type"]
    if kind == "extra_forbidden":
        return f"unknown field; {hint(error['loc'][-1], fields_at(model, error['loc'][:-1]))}"
    if kind in NOUNS:
        return f"must be {NOUNS[kind]}, not {noun_of(error['input'])}" + _quotes(error)
    if kind in BOUNDS:
        return f"must be {BOUNDS[kind].format(**error['ctx'])}"
    if kind.startswith(("datetime_", "timezone_")):
        return A_TIME
    special = _SPECIAL.get(kind)
    return special(error) if special else error["msg"][:1].lower() + error["msg"][1:]


def noun_of(value: Any) -> str:
    """Name the type of a plain value as a reader of YAML would."""
    nouns = {dict: "a mapping", list: "a list", tuple: "a list", str: "a text", bool: "true or false"}
    if value is None:
        return "null"
    return nouns.get(type(value), "a number" if isinstance(value, int) else "a decimal number")


def _quotes(error: ErrorDetails) -> str:
    scalar = isinstance(error["input"], bool | int | float)
    return "; put it in quotes" if scalar and error["type"] == "string_type" else ""


def fields_at(model: Any, path: Iterable[str | int]) -> list[str]:
    """Return the field names, as on paper, that the model allows at *path*."""
    for step in path:
        model = _below(model, step)
    return [field.alias or name for name, field in model.model_fields.items()] if model else []


def _below(model: Any, step: str | int) -> Any:
    if model is None:
        return None
    field = next((field for name, field in model.model_fields.items() if step in {name, field.alias}), None)
    if field is None:
        return model  # an index, or a key of a mapping whose values are models
    return next((part for part in _parts(field.annotation) if _is_model(part)), None)


def _parts(annotation: Any) -> Iterable[Any]:
    yield annotation
    for argument in typing.get_args(annotation):
        yield from _parts(argument)


def _is_model(part: Any) -> bool:
    return isinstance(part, type) and issubclass(part, BaseModel)


def _literal(error: ErrorDetails) -> str:
    expected = str(error["ctx"]["expected"])
    near = hint(error["input"], [word.strip("'") for word in expected.replace(" or ", ", ").split(", ")])
    return f"must be {expected}" + (f"; {near}" if near.startswith("did") else "")


def _pattern(error: ErrorDetails) -> str:
    pattern = str(error["ctx"]["pattern"])
    if pattern.startswith("^arn:") and ":role/" in pattern:
        return "must be the ARN of an IAM role, like arn:aws:iam::111122223333:role/name"
    return PATTERNS.get(pattern, f"must match {pattern}")


def _too_short(error: ErrorDetails) -> str:
    count = error["ctx"]["min_length"]
    return f"must hold at least {count} item{'' if count == 1 else 's'}"


_SPECIAL: Mapping[str, Callable[[ErrorDetails], str]] = {
    "missing": lambda _: "is required",
    "literal_error": _literal,
    "string_pattern_mismatch": _pattern,
    "too_short": _too_short,
    "too_long": lambda error: f"must hold at most {error['ctx']['max_length']} items",
    "value_error": lambda error: error["msg"].removeprefix("Value error, "),
}
