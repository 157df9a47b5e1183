"""Label and field selectors of lists and watches."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from multicluster.simulator.kubernetes.documents import Document, at
from multicluster.simulator.kubernetes.resources import Resource
from multicluster.simulator.kubernetes.status import ApiError

Labels = Mapping[str, str]
Test = Callable[[Document], bool]

_KEY = r"(?:[A-Za-z0-9.-]+/)?[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_VALUE = r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)?"
_SET = re.compile(rf"({_KEY})\s+(in|notin)\s*\(([^()]*)\)")
_EQUALITY = re.compile(rf"({_KEY})\s*(==|=|!=)\s*({_VALUE})")
_EXISTS = re.compile(rf"(!?)\s*({_KEY})")
_COMPARISON = re.compile(rf"({_KEY})\s*([<>])\s*(-?\d+)")
_COMMA = re.compile(r",(?![^()]*\))")


def label_test(selector: str) -> Callable[[Labels], bool]:
    """Compile a label selector. Raises `ApiError` 400 for one that cannot be parsed."""
    tests = [_requirement(part.strip(), selector) for part in _COMMA.split(selector) if selector.strip()]
    return lambda labels: all(test(labels) for test in tests)


def _requirement(part: str, selector: str) -> Callable[[Labels], bool]:
    if match := _SET.fullmatch(part):
        key, inside = match[1], match[2] == "in"
        values = {value.strip() for value in match[3].split(",")}
        return lambda labels: (labels.get(key) in values) == inside
    if match := _EQUALITY.fullmatch(part):
        key, equal, value = match[1], match[2] != "!=", match[3]
        return lambda labels: (labels.get(key) == value) == equal
    if match := _COMPARISON.fullmatch(part):
        key, above, bound = match[1], match[2] == ">", int(match[3])
        return lambda labels: (
            _is_integer(labels.get(key)) and (int(labels[key]) > bound if above else int(labels[key]) < bound)
        )
    if match := _EXISTS.fullmatch(part):
        key, wanted = match[2], not match[1]
        return lambda labels: (key in labels) == wanted
    raise ApiError(400, f'unable to parse requirement: found "{part}" in selector "{selector}"')


def _is_integer(value: str | None) -> bool:
    return value is not None and re.fullmatch(r"-?\d+", value) is not None


def field_test(selector: str, resource: Resource) -> Test:
    """Compile a field selector. Raises `ApiError` 400 for fields this resource cannot be selected by."""
    tests = [_field_requirement(part.strip(), selector, resource) for part in selector.split(",") if part.strip()]
    return lambda document: all(test(document) for test in tests)


def _field_requirement(part: str, selector: str, resource: Resource) -> Test:
    match = re.fullmatch(r"([^=!]+?)\s*(!=|==|=)\s*(.*)", part)
    if match is None:
        raise ApiError(400, f'invalid selector: "{selector}"; can\'t understand "{part}"')
    field, equal, wanted = match[1], match[2] != "!=", match[3]
    if field not in resource.selectable:
        address = f"{resource.api_version if resource.group else '/v1'}, Resource={resource.plural}"
        raise ApiError(
            400,
            f'Unable to find "{address}" that match label selector "", field selector "{selector}": '
            f"field label not supported: {field}",
        )
    path = ("source", "component") if field == "source" else tuple(field.split("."))
    return lambda document: (_text(at(document, *path)) == wanted) == equal


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def object_test(resource: Resource, *, namespace: str | None, labels: str, fields: str) -> Test:
    """Compile what a list or watch asks for: a namespace (None: all), a label and a field selector."""
    by_labels, by_fields = label_test(labels), field_test(fields, resource)

    def matches(document: Document) -> bool:
        metadata = document["metadata"]
        return (
            (namespace is None or metadata.get("namespace", "") == namespace)
            and by_labels(metadata.get("labels") or {})
            and by_fields(document)
        )

    return matches
