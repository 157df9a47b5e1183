"""What an API server does to a pod it is given: defaults, validation, which updates are allowed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from multicluster.simulator.kubernetes.documents import Document, copied
from multicluster.simulator.kubernetes.names import container_name_causes
from multicluster.simulator.kubernetes.quantities import is_extended, quantity, written
from multicluster.simulator.kubernetes.status import (
    ApiError,
    Cause,
    duplicate,
    forbidden_field,
    invalid_value,
    missing,
    required,
    unsupported,
)

_RESTART_POLICIES = ("Always", "OnFailure", "Never")
_UPDATE_RULE = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)
_TOLERATION_RULE = "existing toleration can not be modified except its tolerationSeconds"
_NO_DEADLINE = "must not update from a positive integer to nil value"
_QUANTITY_RULE = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
_EVICTED_AFTER = 300


def defaulted(pod: Document) -> Document:
    """Return a new pod as it is stored: with a server's defaults, pending, without what a client may not set."""
    result: Document = copied(pod)
    spec = result.setdefault("spec", {})
    for key, value in _DEFAULTS.items():
        spec.setdefault(key, copied(value))
    spec.setdefault("serviceAccountName", spec.get("serviceAccount") or "default")
    spec["serviceAccount"] = spec["serviceAccountName"]
    _add_tolerations(spec)
    for container in _containers(spec):
        _default_container(container)
    for volume in spec.get("volumes") or []:
        if set(volume) == {"name"}:
            volume["emptyDir"] = {}
        for source in ("configMap", "secret"):
            if source in volume:
                volume[source].setdefault("defaultMode", 0o644)
    result["status"] = {"phase": "Pending", "qosClass": _quality(spec)}
    return result


_DEFAULTS: Mapping[str, Any] = {
    "restartPolicy": "Always",
    "terminationGracePeriodSeconds": 30,
    "dnsPolicy": "ClusterFirst",
    "securityContext": {},
    "schedulerName": "default-scheduler",
    "priority": 0,
    "preemptionPolicy": "PreemptLowerPriority",
    "enableServiceLinks": True,
}


def _add_tolerations(spec: Document) -> None:
    tolerations = spec.setdefault("tolerations", [])
    for key in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"):
        if not any(t.get("key") in (key, None) and t.get("effect") in ("NoExecute", None, "") for t in tolerations):
            added = {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": _EVICTED_AFTER}
            tolerations.append(added)


def _default_container(container: Document) -> None:
    image = str(container.get("image") or "")
    latest = ":" not in image.rpartition("/")[2] or image.endswith(":latest")
    container.setdefault("imagePullPolicy", "Always" if latest and "@" not in image else "IfNotPresent")
    container.setdefault("terminationMessagePath", "/dev/termination-log")
    container.setdefault("terminationMessagePolicy", "File")
    resources = container.setdefault("resources", {})
    if resources.get("limits"):
        resources["requests"] = {**resources["limits"], **(resources.get("requests") or {})}


def _quality(spec: Document) -> str:
    lists = [container.get("resources") or {} for container in _containers(spec)]
    native = [
        {
            kind: {n: v for n, v in (r.get(kind) or {}).items() if n in ("cpu", "memory")}
            for kind in ("limits", "requests")
        }
        for r in lists
    ]
    if not any(entry["limits"] or entry["requests"] for entry in native):
        return "BestEffort"
    whole = all(set(entry["limits"]) == {"cpu", "memory"} and entry["limits"] == entry["requests"] for entry in native)
    return "Guaranteed" if whole else "Burstable"


def _containers(spec: Document) -> Iterator[Document]:
    yield from spec.get("initContainers") or []
    yield from spec.get("containers") or []


def check_quantities(pod: Document) -> None:
    """Refuse a pod whose quantities cannot be decoded. Raises `ApiError` 400."""
    for container in _containers(pod.get("spec") or {}):
        for kind in ("limits", "requests"):
            for value in ((container.get("resources") or {}).get(kind) or {}).values():
                try:
                    quantity(value)
                except ValueError as error:
                    message = f'Pod in version "v1" cannot be handled as a Pod: {_QUANTITY_RULE}'
                    raise ApiError(400, message) from error


def pod_causes(pod: Document) -> list[Cause]:
    """Return what is wrong with a pod's spec."""
    spec = pod.get("spec") or {}
    causes = [] if spec.get("containers") else [required("spec.containers")]
    if spec.get("restartPolicy") not in _RESTART_POLICIES:
        causes.append(unsupported("spec.restartPolicy", str(spec.get("restartPolicy")), _RESTART_POLICIES))
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not (isinstance(deadline, int) and deadline > 0):
        causes.append(invalid_value("spec.activeDeadlineSeconds", deadline, "must be between 1 and 2147483647"))
    volumes: set[str] = set()
    for index, volume in enumerate(spec.get("volumes") or []):
        causes += _name_once(f"spec.volumes[{index}].name", volume.get("name"), volumes)
    names: set[str] = set()
    for kind in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(kind) or []):
            field = f"spec.{kind}[{index}]"
            causes += _name_once(f"{field}.name", container.get("name"), names)
            causes += _container_causes(field, container, volumes)
    return causes


def _name_once(field: str, name: Any, seen: set[str]) -> list[Cause]:
    causes = container_name_causes(field, name)
    if name in seen:
        causes.append(duplicate(field, str(name)))
    seen.add(str(name))
    return causes


def _container_causes(field: str, container: Document, volumes: set[str]) -> list[Cause]:
    causes = [] if container.get("image") else [required(f"{field}.image")]
    for index, variable in enumerate(container.get("env") or []):
        if not variable.get("name"):
            causes.append(required(f"{field}.env[{index}].name"))
    paths: set[str] = set()
    for index, mount in enumerate(container.get("volumeMounts") or []):
        if mount.get("name") not in volumes:
            causes.append(missing(f"{field}.volumeMounts[{index}].name", str(mount.get("name"))))
        path = mount.get("mountPath")
        if not path:
            causes.append(required(f"{field}.volumeMounts[{index}].mountPath"))
        elif path in paths:
            causes.append(invalid_value(f"{field}.volumeMounts[{index}].mountPath", path, "must be unique"))
        paths.add(str(path))
    return causes + _resource_causes(f"{field}.resources", container.get("resources") or {})


def _resource_causes(field: str, resources: Document) -> list[Cause]:
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    causes = [
        cause
        for kind, amounts in (("limits", limits), ("requests", requests))
        for name, value in sorted(amounts.items())
        for cause in _amount_causes(f"{field}.{kind}[{name}]", name, value)
    ]
    for name, value in requests.items():
        if name not in limits:
            if is_extended(name):
                causes.append(required(f"{field}.limits", "Limit must be set for non overcommitable resources"))
        elif is_extended(name) and quantity(value) != quantity(limits[name]):
            causes.append(
                invalid_value(f"{field}.requests", str(value), f"must be equal to {name} limit of {limits[name]}")
            )
        elif quantity(value) > quantity(limits[name]):
            why = f"must be less than or equal to {name} limit of {limits[name]}"
            causes.append(invalid_value(f"{field}.requests", str(value), why))
    return causes


def _amount_causes(field: str, name: str, value: Any) -> list[Cause]:
    if is_extended(name) and "/" not in name:
        whys = ("must be a standard resource type or fully qualified", "must be a standard resource for containers")
        return [invalid_value(field, name, why) for why in whys]
    amount = quantity(value)
    if amount < 0:
        return [invalid_value(field, str(value), "must be greater than or equal to 0")]
    if is_extended(name) and amount.denominator != 1:
        return [invalid_value(field, written(amount), "must be an integer")]
    return []


def update_causes(old: Document, new: Document) -> list[Cause]:
    """Return what an update of a pod may not change."""
    before, after = old["spec"], new.get("spec") or {}
    kept = [t for t in before.get("tolerations") or [] if t not in (after.get("tolerations") or [])]
    causes = []
    if kept:
        causes.append(forbidden_field("spec.tolerations", _TOLERATION_RULE))
    deadline, later = before.get("activeDeadlineSeconds"), after.get("activeDeadlineSeconds")
    if deadline is not None and (later is None or later > deadline):
        why = "must be less than or equal to previous value" if later else _NO_DEADLINE
        causes.append(invalid_value("spec.activeDeadlineSeconds", later, why))
    if not causes and _fixed(before) != _fixed(after):
        causes.append(forbidden_field("spec", _UPDATE_RULE))
    return causes


def _fixed(spec: Document) -> Document:
    fixed: Document = copied(spec)
    for key in ("activeDeadlineSeconds", "tolerations"):
        fixed.pop(key, None)
    for container in _containers(fixed):
        container.pop("image", None)
    return fixed
