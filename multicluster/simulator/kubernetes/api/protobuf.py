"""Kubernetes' protobuf bodies, as far as kubectl sends them: a few kinds, decoded into JSON documents.

`kubectl create namespace|configmap|secret|serviceaccount`, `kubectl drain` and `kubectl auth can-i` send their bodies
in protobuf whatever the server would like. Field numbers are those of `k8s.io/api/*/generated.proto`.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any

from multicluster.simulator.kubernetes.documents import Document
from multicluster.simulator.kubernetes.status import ApiError

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\x00"
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_Schema = Mapping[int, tuple[str, Any]]

_METADATA: _Schema = {
    1: ("name", "string"),
    2: ("generateName", "string"),
    3: ("namespace", "string"),
    5: ("uid", "string"),
    6: ("resourceVersion", "string"),
    11: ("labels", "map"),
    12: ("annotations", "map"),
    14: ("finalizers", "strings"),
}
_DELETE_OPTIONS: _Schema = {
    1: ("gracePeriodSeconds", "integer"),
    2: ("preconditions", {1: ("uid", "string"), 2: ("resourceVersion", "string")}),
    3: ("orphanDependents", "boolean"),
    4: ("propagationPolicy", "string"),
    5: ("dryRun", "strings"),
}
_RESOURCE_ATTRIBUTES: _Schema = {
    number: (name, "string")
    for number, name in enumerate(("namespace", "verb", "group", "version", "resource", "subresource", "name"), start=1)
}
_ACCESS_REVIEW: _Schema = {
    1: ("resourceAttributes", _RESOURCE_ATTRIBUTES),
    2: ("nonResourceAttributes", {1: ("path", "string"), 2: ("verb", "string")}),
}
_KINDS: Mapping[str, _Schema] = {
    "ConfigMap": {1: ("metadata", _METADATA), 2: ("data", "map"), 3: ("binaryData", "map of bytes")},
    "DeleteOptions": _DELETE_OPTIONS,
    "Eviction": {1: ("metadata", _METADATA), 2: ("deleteOptions", _DELETE_OPTIONS)},
    "Namespace": {1: ("metadata", _METADATA)},
    "Secret": {
        1: ("metadata", _METADATA),
        2: ("data", "map of bytes"),
        3: ("type", "string"),
        4: ("stringData", "map"),
    },
    "SelfSubjectAccessReview": {1: ("metadata", _METADATA), 2: ("spec", _ACCESS_REVIEW)},
    "SelfSubjectReview": {1: ("metadata", _METADATA)},
    "ServiceAccount": {1: ("metadata", _METADATA)},
}


def decoded(data: bytes) -> Document:
    """Return a protobuf body as a document. Raises `ApiError` 415 for a kind not known here, 400 for no protobuf."""
    if not data.startswith(_MAGIC):
        raise ApiError(400, "the body does not begin as a Kubernetes protobuf body does")
    try:
        envelope = dict(_fields(data[len(_MAGIC) :]))
        kind_of = {number: value.decode() for number, value in _fields(envelope[1])}
        kind = kind_of.get(2, "")
        if kind not in _KINDS:
            raise ApiError(
                415,
                f"the body of the request was in an unknown format - a {kind} is accepted as application/json only",
            )
        return {"kind": kind, "apiVersion": kind_of.get(1, ""), **_message(envelope.get(2, b""), _KINDS[kind])}
    except (IndexError, KeyError, ValueError, AttributeError, TypeError) as error:
        raise ApiError(400, f"the protobuf body cannot be decoded: {error!r}") from error


def _message(data: bytes, schema: _Schema) -> Document:
    result: Document = {}
    for number, value in _fields(data):
        name, kind = schema.get(number, ("", None))
        if not name:
            continue
        if isinstance(kind, Mapping):
            result[name] = _message(value, kind)
        elif kind == "strings":
            result.setdefault(name, []).append(value.decode())
        elif kind in ("map", "map of bytes"):
            entry = dict(_fields(value))
            content = entry.get(2, b"")
            text = content.decode() if kind == "map" else base64.b64encode(content).decode()
            result.setdefault(name, {})[entry.get(1, b"").decode()] = text
        elif kind == "string":
            if value:
                result[name] = value.decode()
        else:
            result[name] = bool(value) if kind == "boolean" else value
    return result


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """Go through the fields of a message: number, and bytes or integer."""
    position = 0
    while position < len(data):
        key, position = _varint(data, position)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, position = _varint(data, position)
            yield number, value
        elif wire == _BYTES:
            length, position = _varint(data, position)
            if position + length > len(data):
                raise ValueError("a field is longer than its message")
            yield number, data[position : position + length]
            position += length
        elif wire in (_FIXED64, _FIXED32):
            position += 8 if wire == _FIXED64 else 4
        else:
            raise ValueError(f"unknown wire type {wire}")


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        value |= (byte & 0x7F) << shift
        position += 1
        shift += 7
        if not byte & 0x80:
            return value, position
