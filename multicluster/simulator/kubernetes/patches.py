"""The three patch types: JSON patch, JSON merge patch, strategic merge patch."""

from __future__ import annotations

from typing import Any

from multicluster.simulator.kubernetes.documents import Document, copied
from multicluster.simulator.kubernetes.status import ApiError

JSON = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
ACCEPTED = (JSON, MERGE, STRATEGIC)

# patchMergeKey of the lists that merge, by field name (k8s.io/api types); other lists are replaced whole.
_MERGE_KEYS = {
    "addresses": "type",
    "conditions": "type",
    "containers": "name",
    "env": "name",
    "ephemeralContainers": "name",
    "hostAliases": "ip",
    "imagePullSecrets": "name",
    "initContainers": "name",
    "ownerReferences": "uid",
    "podIPs": "ip",
    "secrets": "name",
    "topologySpreadConstraints": "topologyKey",
    "volumeDevices": "devicePath",
    "volumeMounts": "mountPath",
    "volumes": "name",
}
_GO = "[]handlers.jsonPatchOp"
_MERGED_SETS = ("finalizers", "podCIDRs")


def patched(document: Document, patch: Any, content_type: str) -> Document:
    """Apply a patch of one of the three types to a copy of a document. Raises `ApiError` 400, 422 and 500."""
    if content_type == JSON:
        return _json_patched(document, patch)
    if not isinstance(patch, dict):
        beginning = "" if content_type == STRATEGIC else "error decoding patch: "
        message = "json: cannot unmarshal array into Go value of type map[string]interface {}"
        raise ApiError(400, beginning + message)
    result: Document = _merged(document, patch, strategic=content_type == STRATEGIC)
    return result


def _merged(base: Any, patch: Any, *, strategic: bool, field: str = "") -> Any:
    if isinstance(patch, dict):
        return _merged_object(base, patch, strategic=strategic)
    if isinstance(patch, list) and strategic:
        if field in _MERGE_KEYS:
            return _merged_list(base or [], patch, _MERGE_KEYS[field])
        if field in _MERGED_SETS:
            return [*(base or []), *(item for item in patch if item not in (base or []))]
    return copied(patch)


def _merged_object(base: Any, patch: Document, *, strategic: bool) -> Document:
    if strategic and patch.get("$patch") == "replace":
        return {key: copied(value) for key, value in patch.items() if key != "$patch"}
    result: Document = dict(base) if isinstance(base, dict) else {}
    for key, value in patch.items():
        if strategic and key.startswith("$deleteFromPrimitiveList/"):
            field = key.partition("/")[2]
            result[field] = [item for item in result.get(field) or [] if item not in value]
        elif strategic and key.startswith("$"):
            continue  # $setElementOrder and $retainKeys steer the order and old unions; nothing here depends on them
        elif value is None or (strategic and isinstance(value, dict) and value.get("$patch") == "delete"):
            result.pop(key, None)
        else:
            result[key] = _merged(result.get(key), value, strategic=strategic, field=key)
    return result


def _merged_list(base: list[Any], patch: list[Any], merge_key: str) -> list[Any]:
    if any(isinstance(item, dict) and item.get("$patch") == "replace" for item in patch):
        return [copied(item) for item in patch if item.get("$patch") != "replace"]
    order = {item.get(merge_key): place for place, item in enumerate(base)}
    left, named = [], set()
    for item in patch:
        if not isinstance(item, dict) or merge_key not in item:
            shown = " ".join(f"{key}:{value}" for key, value in item.items()) if isinstance(item, dict) else item
            raise ApiError(500, f"map: map[{shown}] does not contain declared merge key: {merge_key}", reason="")
        named.add(item[merge_key])
        if item.get("$patch") != "delete":
            place = order.get(item[merge_key])
            left.append(_merged_object({} if place is None else base[place], item, strategic=True))
    return _in_order(left, [copied(item) for item in base if item.get(merge_key) not in named], order, merge_key)


def _in_order(left: list[Any], right: list[Any], order: dict[Any, int], merge_key: str) -> list[Any]:
    """Merge what a patch names and what it leaves alone in the old order; what is new comes before what is left."""
    result = []
    while left and right:
        first = order.get(left[0][merge_key], -1) < order[right[0][merge_key]]
        result.append((left if first else right).pop(0))
    return [*result, *left, *right]


def _json_patched(document: Document, operations: Any) -> Document:
    if not isinstance(operations, list):
        raise ApiError(400, f"error decoding patch: json: cannot unmarshal object into Go value of type {_GO}")
    result: Document = copied(document)
    for operation in operations:
        try:
            result = _operated(result, operation)
        except (KeyError, IndexError, ValueError, TypeError) as error:
            message = "the server rejected our request due to an error in our request"
            raise ApiError(422, message, reason="Invalid", details={}) from error
    return result


def _operated(document: Document, operation: Document) -> Document:
    action, path = operation["op"], _segments(operation["path"])
    if action == "test":
        if _read(document, path) != operation["value"]:
            raise ValueError("testing value failed")
    elif action == "remove":
        _remove(document, path)
    elif action == "replace":
        _write(document, path, copied(operation["value"]), replace=True)
    elif action == "add":
        _write(document, path, copied(operation["value"]), replace=False)
    elif action in ("move", "copy"):
        source = _segments(operation["from"])
        value = copied(_read(document, source))
        if action == "move":
            _remove(document, source)
        _write(document, path, value, replace=False)
    else:
        raise ValueError(f"unexpected op {action!r}")
    return document


def _segments(pointer: str) -> list[str]:
    return [segment.replace("~1", "/").replace("~0", "~") for segment in pointer.split("/")[1:]]


def _read(document: Any, path: list[str]) -> Any:
    for segment in path:
        document = document[int(segment)] if isinstance(document, list) else document[segment]
    return document


def _remove(document: Any, path: list[str]) -> None:
    parent = _read(document, path[:-1])
    if isinstance(parent, list):
        del parent[int(path[-1])]
    else:
        del parent[path[-1]]


def _write(document: Any, path: list[str], value: Any, *, replace: bool) -> None:
    parent, last = _read(document, path[:-1]), path[-1]
    if not isinstance(parent, list):
        parent[last] = value
    elif replace:
        parent[int(last)] = value
    elif last == "-":
        parent.append(value)
    else:
        parent.insert(int(last), value)
