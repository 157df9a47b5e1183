"""Turn what the Kubernetes clients' models hold into the JSON of the API, which the core judges."""

from __future__ import annotations

from datetime import date
from typing import Any

from multicluster.pods.source import Document

_MOMENTS = ("last_timestamp", "event_time")


def document_of(model: Any) -> Document:
    """Return an object of either client as the API wrote it, but for what is null in it."""
    written: Document = _plain(model)
    return written


def event_of(model: Any) -> Document:
    """Return what is told from an event, which is little."""
    moments = (getattr(model, name, None) for name in _MOMENTS)
    return {
        "reason": model.reason or "",
        "message": model.message or "",
        "involvedObject": {"uid": getattr(model.involved_object, "uid", None)},
        "lastTimestamp": _plain(next((moment for moment in moments if moment), None)),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, date):
        return value.isoformat()
    names = getattr(value, "attribute_map", None)
    if names is None:
        return value
    held = ((json_name, getattr(value, name)) for name, json_name in names.items())
    return {json_name: _plain(one) for json_name, one in held if one is not None}
