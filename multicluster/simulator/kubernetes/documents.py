"""JSON documents as Python values: copying them, reading deep into them, writing their timestamps."""

from __future__ import annotations

import datetime as dt
from typing import Any

Document = dict[str, Any]


def copied(value: Any) -> Any:
    """Copy a JSON value deeply (several times faster than `copy.deepcopy`)."""
    if isinstance(value, dict):
        return {key: copied(item) for key, item in value.items()}
    if isinstance(value, list):
        return [copied(item) for item in value]
    return value


def without_nulls(value: Any) -> Any:
    """Copy a JSON value, leaving out the members of objects that are null, as an API server's decoder does."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value if item is not None]
    return value


def at(document: Any, *path: str, default: Any = None) -> Any:
    """Return the value at a path, or `default` where a member is missing or null."""
    for key in path:
        document = document.get(key) if isinstance(document, dict) else None
        if document is None:
            return default
    return document


def namespace_of(document: Document) -> str:
    """Return an object's namespace, empty for what has none."""
    return str(at(document, "metadata", "namespace", default=""))


def name_of(document: Document) -> str:
    """Return an object's name."""
    return str(document["metadata"]["name"])


def uid_of(document: Document) -> str:
    """Return an object's uid."""
    return str(document["metadata"]["uid"])


def stamp(moment: dt.datetime) -> str:
    """Write a moment as `metav1.Time`: RFC 3339, whole seconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def micro_stamp(moment: dt.datetime) -> str:
    """Write a moment as `metav1.MicroTime`."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def nano_stamp(moment: dt.datetime) -> str:
    """Write a moment as log lines carry it: RFC 3339 with nine digits."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z"


def moment(text: str) -> dt.datetime:
    """Read an RFC 3339 timestamp. Raises ValueError."""
    parsed = dt.datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=dt.UTC)
