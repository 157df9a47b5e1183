"""Lists: selected, in pages, at a version."""

from __future__ import annotations

import base64
import json

from multidict import MultiMapping

from multicluster.simulator.kubernetes.api.new_events import shown
from multicluster.simulator.kubernetes.api.options import check_list, integer
from multicluster.simulator.kubernetes.documents import Document, name_of, namespace_of
from multicluster.simulator.kubernetes.resources import Resource, stored
from multicluster.simulator.kubernetes.selectors import object_test
from multicluster.simulator.kubernetes.status import ApiError
from multicluster.simulator.kubernetes.store import Store

_EXPIRED = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results."
)


def listed(store: Store, resource: Resource, namespace: str | None, query: MultiMapping[str]) -> Document:
    """Return a list document. Raises `ApiError` 400, 410 and 504."""
    matches = object_test(
        resource, namespace=namespace, labels=query.get("labelSelector", ""), fields=query.get("fieldSelector", "")
    )
    check_list(query, watch=False)
    version, start = _position(store, query)
    kept = store.all(stored(resource)) if version == store.version else store.all_at(stored(resource), version)
    items = [item for item in (shown(resource, document) for document in kept) if matches(item)]
    if start is not None:
        items = [item for item in items if (namespace_of(item), name_of(item)) > start]
    limit = max(0, integer(query, "limit") or 0)
    metadata: Document = {"resourceVersion": str(version)}
    if limit and len(items) > limit:
        last = items[limit - 1]
        metadata["continue"] = _token(version, (namespace_of(last), name_of(last)))
        if not query.get("labelSelector") and not query.get("fieldSelector"):
            metadata["remainingItemCount"] = len(items) - limit
        items = items[:limit]
    kind = resource.kind + "List"
    return {"kind": kind, "apiVersion": resource.api_version, "metadata": metadata, "items": items}


def without_kinds(found: Document) -> Document:
    """Return a list whose items do not repeat what they are, as lists are sent."""
    items = [{k: v for k, v in item.items() if k not in ("kind", "apiVersion")} for item in found["items"]]
    return {**found, "items": items}


def version_asked(query: MultiMapping[str]) -> int | None:
    """Return the resourceVersion of a request, None for none. Raises `ApiError` 400."""
    text = query.get("resourceVersion", "")
    if not text:
        return None
    if not text.isdigit():
        fault = f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": invalid syntax'
        raise ApiError(400, f"invalid resource version: {fault}")
    return int(text)


def _position(store: Store, query: MultiMapping[str]) -> tuple[int, tuple[str, str] | None]:
    token = query.get("continue", "")
    if token:
        return _continued(store, token)
    asked = version_asked(query)
    if asked is not None and asked > store.version:
        details: Document = {
            "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
            "retryAfterSeconds": 1,
        }
        message = f"Timeout: Too large resource version: {asked}, current: {store.version}"
        raise ApiError(504, message, details=details)
    if asked and query.get("resourceVersionMatch") == "Exact":
        store.since(asked)
        return asked, None
    return store.version, None


def _continued(store: Store, token: str) -> tuple[int, tuple[str, str]]:
    try:
        content = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        version, start = int(content["rv"]), (str(content["start"][0]), str(content["start"][1]))
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise ApiError(400, f"invalid continue token: continue key is not valid: {error}") from error
    try:
        store.since(version)
    except ApiError as error:
        raise ApiError(410, _EXPIRED) from error
    return version, start


def _token(version: int, start: tuple[str, str]) -> str:
    content = json.dumps({"v": "meta.k8s.io/v1", "rv": version, "start": start}, separators=(",", ":"))
    return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")
