"""Resource quotas: what is used of them, and the refusal of what would exceed one."""

from __future__ import annotations

from fractions import Fraction

from multicluster.simulator.kubernetes.documents import Document, at, name_of, namespace_of
from multicluster.simulator.kubernetes.quantities import Quantities, quantities, quantity, written
from multicluster.simulator.kubernetes.resources import PODS, RESOURCE_QUOTAS, Resource
from multicluster.simulator.kubernetes.status import forbidden
from multicluster.simulator.kubernetes.store import Change, Store

_NATIVE = ("cpu", "memory")
_MUST_SAY = ("cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory")
_FINISHED = ("Succeeded", "Failed")


class Quotas:
    """Counts what the quotas of a store's namespaces limit."""

    def __init__(self, store: Store) -> None:
        self._store = store
        store.subscribe(self._changed)

    def check(self, resource: Resource, document: Document) -> None:
        """Refuse a new object that a quota has no room for. Raises `ApiError` 403."""
        asked = _usage(resource, document)
        for quota in self._store.all(RESOURCE_QUOTAS, namespace_of(document)):
            hard = quantities(at(quota, "spec", "hard"))
            unsaid = _unsaid(document, hard) if resource is PODS else ""
            if unsaid:
                why = f"failed quota: {name_of(quota)}: must specify {unsaid}"
                raise forbidden(resource.plural, resource.group, name_of(document), why)
            used = self._used(namespace_of(document))
            over = [name for name in sorted(hard) if asked.get(name) and used.get(name, 0) + asked[name] > hard[name]]
            if over:
                amounts = (("requested", asked), ("used", used), ("limited", hard))
                told = ", ".join(f"{word}: {_shown(over, values)}" for word, values in amounts)
                why = f"exceeded quota: {name_of(quota)}, {told}"
                raise forbidden(resource.plural, resource.group, name_of(document), why)

    def _changed(self, change: Change) -> None:
        if not change.resource.namespaced:
            return
        namespace = namespace_of(change.document)
        for quota in self._store.all(RESOURCE_QUOTAS, namespace):
            used, hard = self._used(namespace), at(quota, "spec", "hard", default={})
            status = {"hard": hard, "used": {name: _text(name, used.get(name, Fraction(0))) for name in hard}}
            if quota.get("status") != status:
                self._store.replace(RESOURCE_QUOTAS, {**quota, "status": status})

    def _used(self, namespace: str) -> Quantities:
        total: Quantities = {}
        for resource, document in self._store.namespaced(namespace):
            for name, amount in _usage(resource, document).items():
                total[name] = total.get(name, Fraction(0)) + amount
        return total


def _usage(resource: Resource, document: Document) -> Quantities:
    counted: Quantities = {f"count/{resource.qualified}": Fraction(1)}
    if resource is not PODS:
        return {resource.plural: Fraction(1), **counted}
    if at(document, "status", "phase") in _FINISHED:
        return counted
    counted["pods"] = Fraction(1)
    for container in document["spec"]["containers"]:
        for kind in ("requests", "limits"):
            for name, value in at(container, "resources", kind, default={}).items():
                for key in (f"{kind}.{name}", *((name,) if kind == "requests" and name in _NATIVE else ())):
                    counted[key] = counted.get(key, Fraction(0)) + quantity(value)
    return counted


def _unsaid(pod: Document, hard: Quantities) -> str:
    """Return what a quota wants said of each container of a pod and is not."""
    parts = []
    for name in sorted(set(hard) & set(_MUST_SAY)):
        kind, _, what = name.rpartition(".")
        silent = [c["name"] for c in pod["spec"]["containers"] if not at(c, "resources", kind or "requests", what)]
        if silent:
            parts.append(f"{name} for: {','.join(silent)}")
    return "; ".join(parts)


def _shown(names: list[str], values: Quantities) -> str:
    return ",".join(f"{name}={_text(name, values.get(name, Fraction(0)))}" for name in names)


def _text(name: str, amount: Fraction) -> str:
    return written(amount, binary=name.endswith(("memory", "storage")))
