"""What a list or a watch selects: a namespace, labels and fields."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from multicluster.simulator.kubernetes.documents import Document, at
from multicluster.simulator.kubernetes.label_selectors import label_test
from multicluster.simulator.kubernetes.resources import Resource
from multicluster.simulator.kubernetes.status import ApiError

Test = Callable[[Document], bool]
_FALSE_WHEN_ABSENT = ("spec.hostNetwork", "spec.unschedulable")


def field_test(selector: str, resource: Resource) -> Test:
    """Compile a field selector. Raises `ApiError` 400 for fields this resource cannot be selected by."""
    tests = [_field_requirement(part, resource) for part in selector.split(",") if part]
    return lambda document: all(test(document) for test in tests)


def _field_requirement(part: str, resource: Resource) -> Test:
    match = re.fullmatch(r"(.*?)(!=|==|=)(.*)", part)
    if match is None:
        raise ApiError(400, f"invalid selector: '{part}'; can't understand '{part}'")
    field, equal, wanted = match[1], match[2] != "!=", match[3]
    if "=" in wanted:
        raise ApiError(400, f"invalid field selector: unescaped character in value: {ord('=')}")
    if field not in resource.selectable:
        if resource.fields:
            raise ApiError(400, f"field label not supported: {field}")
        raise ApiError(400, f'"{field}" is not a known field selector: only "metadata.name", "metadata.namespace"')
    path = ("source", "component") if field == "source" else tuple(field.split("."))
    default = False if field in _FALSE_WHEN_ABSENT else ""
    return lambda document: (_text(at(document, *path, default=default)) == wanted) == equal


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


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
