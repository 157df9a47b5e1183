"""The options of a request that stand in its address, checked as metav1's are."""

from __future__ import annotations

import json

from multidict import MultiMapping

from multicluster.simulator.kubernetes.status import ApiError, Cause, forbidden_field, invalid, unsupported

_META = "meta.k8s.io"
_VALIDATIONS = ("", "Ignore", "Strict", "Warn")
_NEWER, _EXACT = "NotOlderThan", "Exact"
_POLICIES = ("Foreground", "Background", "Orphan")


def is_true(text: str) -> bool:
    """Read a query parameter as Go's `strconv.ParseBool` does, and Python's `True` too."""
    return text.lower() in ("1", "t", "true")


def is_dry(query: MultiMapping[str]) -> bool:
    """Whether nothing is to be kept."""
    return "All" in query.getall("dryRun", [])


def integer(query: MultiMapping[str], name: str) -> int | None:
    """Return a number of the query, None where it is not given. Raises `ApiError` 400."""
    text = query.get(name, "")
    if text and not text.lstrip("-").isdigit():
        raise ApiError(400, f'strconv.ParseInt: parsing "{text}": invalid syntax')
    return int(text) if text else None


def check_write(kind: str, query: MultiMapping[str]) -> None:
    """Refuse a create, update or patch whose options mean nothing. Raises `ApiError` 422."""
    causes = dry_run_causes(query.getall("dryRun", []))
    validation = query.get("fieldValidation", "")
    if validation not in _VALIDATIONS:
        causes.append(unsupported("fieldValidation", validation, _VALIDATIONS))
    if causes:
        raise invalid(kind, _META, "", causes)


def dry_run_causes(asked: list[str]) -> list[Cause]:
    """Return what is wrong with a `dryRun`."""
    if asked in ([], ["All"]):
        return []
    shown = json.dumps(asked, separators=(",", ":"))
    message = f'Unsupported value: {shown}: supported values: "All"'
    return [Cause(field="dryRun", reason="FieldValueNotSupported", message=message)]


def check_list(query: MultiMapping[str], *, watch: bool) -> None:
    """Refuse a list or watch whose options mean nothing. Raises `ApiError` 400 and 422."""
    for name in ("limit", "timeoutSeconds"):
        integer(query, name)
    causes = _watch_causes(query) if watch else _list_causes(query)
    if causes:
        raise invalid("ListOptions", _META, "", causes)


def _list_causes(query: MultiMapping[str]) -> list[Cause]:
    match, version = query.get("resourceVersionMatch", ""), query.get("resourceVersion", "")
    causes = []
    if match and not version:
        why = "resourceVersionMatch is forbidden unless resourceVersion is provided"
        causes.append(forbidden_field("resourceVersionMatch", why))
    if match and query.get("continue"):
        causes.append(
            forbidden_field("resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided")
        )
    if match not in ("", _EXACT, _NEWER):
        causes.append(unsupported("resourceVersionMatch", match, (_EXACT, _NEWER, "")))
    if match == _EXACT and version == "0":
        why = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
        causes.append(forbidden_field("resourceVersionMatch", why))
    if query.get("sendInitialEvents"):
        causes.append(forbidden_field("sendInitialEvents", "sendInitialEvents is forbidden for list"))
    return causes


def _watch_causes(query: MultiMapping[str]) -> list[Cause]:
    match, initial = query.get("resourceVersionMatch", ""), "sendInitialEvents" in query
    if match and not initial:
        why = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
        return [forbidden_field("resourceVersionMatch", why)]
    causes = []
    if initial and match != _NEWER:
        why = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        causes.append(forbidden_field("resourceVersionMatch", why))
        if match:
            causes.append(unsupported("resourceVersionMatch", match, (_NEWER,)))
    return causes


def policy_causes(policy: str) -> list[Cause]:
    """Return what is wrong with a propagation policy."""
    if policy in ("", *_POLICIES):
        return []
    return [unsupported("propagationPolicy", policy, (*_POLICIES, "nil"))]
