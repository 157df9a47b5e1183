"""Documents as a server decodes them: values of the wrong type are refused, unknown fields and empty lists dropped.

The types are those of the Kubernetes client's models, which are generated from the server's own OpenAPI.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

from multicluster.simulator.kubernetes.documents import Document
from multicluster.simulator.kubernetes.field_types import field_types, model_of
from multicluster.simulator.kubernetes.resources import Resource

_LONG = re.compile(r"(?i)(seconds|user|group|generation)$")
_BYTES = (("Secret", "data"), ("ConfigMap", "binaryData"))
_QUANTITIES = ("limits", "requests", "capacity", "allocatable", "hard", "used")
_CONTAINER = re.compile(r"(list|dict)[\[(](?:str, )?(.*)[\])]")
_GO = {
    "str": "string",
    "int": "int32",
    "float": "float64",
    "bool": "bool",
    "datetime": "v1.Time",
    "object": "interface {}",
}


class DecodingError(ValueError):
    """A value is of the wrong type; the message is the server's."""


class Decoding:
    """One document being decoded. `unknown` collects the paths of fields that no model knows."""

    def __init__(self) -> None:
        self.unknown: list[str] = []

    def document(self, resource: Resource, sent: Mapping[str, Any]) -> Document:
        """Return what a server keeps of a document. Raises `DecodingError`."""
        return self._struct(model_of(resource), sent, "", "")

    def _struct(self, model: str, sent: Mapping[str, Any], path: str, place: str) -> Document:
        fields, result = field_types()[model], {}
        for name, value in sent.items():
            if name not in fields:
                self.unknown.append(f"{place}{name}")
            elif value is not None:
                field = f"{_go_name(model)}.{path}{name}"
                decoded = self._value(fields[name], value, field, f"{path}{name}.", f"{place}{name}")
                if decoded != [] and (decoded != {} or not fields[name].startswith("dict")):
                    result[name] = decoded
        return result

    def _value(self, kind: str, value: Any, field: str, path: str, place: str) -> Any:
        container = _CONTAINER.fullmatch(kind)
        if container is None and kind not in _GO:
            _expect(dict, value, field, f"v1.{_go_name(kind)}")
            return self._struct(kind, value, path, place + ".")
        if container is None:
            return _scalar(kind, value, field)
        inner = container[2]
        if kind.startswith("list"):
            _expect(list, value, field, _go_type(kind))
            return [self._value(inner, item, field, path, f"{place}[{i}]") for i, item in enumerate(value)]
        _expect(dict, value, field, _go_type(kind))
        if field.rpartition(".")[2] in _QUANTITIES:
            return value
        if tuple(field.split(".")) in _BYTES:
            return {key: _bytes(item, field) for key, item in value.items()}
        return {k: self._value(inner, v, field, path, place) for k, v in value.items() if v is not None}


def _go_name(model: str) -> str:
    return re.sub(r"^(?:[A-Z][a-z]+)?V1", "", model)


def _go_type(kind: str, field: str = "") -> str:
    container = _CONTAINER.fullmatch(kind)
    if container:
        return ("[]" if kind.startswith("list") else "map[string]") + _go_type(container[2])
    if kind == "int" and _LONG.search(field):
        return "int64"
    return _GO.get(kind, f"v1.{_go_name(kind)}")


def _scalar(kind: str, value: Any, field: str) -> Any:
    if kind == "object":
        return value
    wanted = {"int": int, "float": (int, float), "bool": bool}.get(kind, str)
    if kind == "int" and isinstance(value, float):
        raise DecodingError(_refusal(f"number {value:g}", field, _go_type(kind, field)))
    _expect(wanted, value, field, _go_type(kind, field))
    return value


def _bytes(value: Any, field: str) -> str:
    _expect(str, value, field, "[]uint8")
    text = str(value).replace("\n", "").replace("\r", "")
    try:
        base64.b64decode(text, validate=True)
    except binascii.Error as error:
        good = re.match(r"[A-Za-z0-9+/]*", text)
        position = good.end() if good and good.end() < len(text) else len(text) - len(text) % 4
        raise DecodingError(f"illegal base64 data at input byte {position}") from error
    return text


def _expect(wanted: Any, value: Any, field: str, go_type: str) -> None:
    if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
        raise DecodingError(_refusal(_json_name(value), field, go_type))


def _refusal(found: str, field: str, go_type: str) -> str:
    return f"json: cannot unmarshal {found} into Go struct field {field} of type {go_type}"


def _json_name(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    return {str: "string", int: "number", float: "number", list: "array", dict: "object"}[type(value)]
