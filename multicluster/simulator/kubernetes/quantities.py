"""Resource quantities (`500m`, `8Gi`, `1`), exactly, as fractions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from multicluster.simulator.kubernetes.documents import Document, at

Quantities = dict[str, Fraction]

_SHAPE = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|([KMGTPE]i|[numkMGTPE]))?")
_SUFFIXES = {
    **{suffix: Fraction(1024) ** (power + 1) for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"))},
    **{suffix: Fraction(1000) ** (power + 1) for power, suffix in enumerate("kMGTPE")},
    **{suffix: Fraction(1, 1000) ** (power + 1) for power, suffix in enumerate("mun")},
}
_NATIVE = ("cpu", "memory", "pods", "ephemeral-storage")


def quantity(value: Any) -> Fraction:
    """Read a quantity. Raises ValueError for what is none."""
    match = _SHAPE.fullmatch(str(value).strip())
    if match is None or isinstance(value, bool):
        raise ValueError(f"{value!r} is no quantity")
    number = Fraction(match[1]) * (Fraction(10) ** int(match[2][1:]) if match[2] else 1)
    return number * _SUFFIXES.get(match[3] or "", Fraction(1))


def quantities(values: Mapping[str, Any] | None) -> Quantities:
    """Read a resource list."""
    return {name: quantity(value) for name, value in (values or {}).items()}


def is_extended(resource: str) -> bool:
    """Whether a resource is counted whole and advertised by a device plugin, such as `nvidia.com/gpu`."""
    return resource not in _NATIVE and not resource.startswith("hugepages-")


def is_gpu(resource: str) -> bool:
    """Whether a resource counts GPUs."""
    return resource.endswith("/gpu")


def container_requests(container: Document) -> Quantities:
    """Return what a container asks for; a limit without a request counts as one, as API servers default it."""
    resources = container.get("resources") or {}
    return {**quantities(resources.get("limits")), **quantities(resources.get("requests"))}


def pod_requests(pod: Document) -> Quantities:
    """Return what a pod takes of its node, itself (`pods`) included: the sum of its containers or its largest step.

    The rule is the scheduler's: sidecars (init containers that restart always) count with the containers, other
    init containers run one at a time before.
    """
    spec = pod["spec"]
    running = _sum(container_requests(container) for container in spec.get("containers") or [])
    peak: Quantities = {}
    sidecars: Quantities = {}
    for container in spec.get("initContainers") or []:
        asked = container_requests(container)
        if container.get("restartPolicy") == "Always":
            sidecars = _sum((sidecars, asked))
            asked = {}
        peak = _largest(peak, _sum((sidecars, asked)))
    return {**_largest(_sum((running, sidecars)), peak), "pods": Fraction(1)}


def node_allocatable(node: Document) -> Quantities:
    """Return what a node offers."""
    return quantities(at(node, "status", "allocatable", default={}))


def _sum(parts: Iterable[Quantities]) -> Quantities:
    total: Quantities = {}
    for part in parts:
        for name, amount in part.items():
            total[name] = total.get(name, Fraction(0)) + amount
    return total


def _largest(one: Quantities, other: Quantities) -> Quantities:
    return {name: max(one.get(name, Fraction(0)), other.get(name, Fraction(0))) for name in {**one, **other}}


def written(amount: Fraction, *, binary: bool = False) -> str:
    """Write a quantity as a server does: with the largest suffix that leaves a whole number."""
    for suffix, size in sorted(_SUFFIXES.items(), key=lambda entry: -entry[1]):
        if size > 1 and suffix.endswith("i") != binary:
            continue
        if amount == 0 or (size < 1 and amount.denominator == 1):
            break
        if (amount / size).denominator == 1:
            return f"{amount / size}{suffix}"
    return str(amount)
