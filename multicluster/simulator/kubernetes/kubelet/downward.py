"""The downward API: what a pod may learn about itself."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import Any

from multicluster.simulator.kubernetes.documents import Document, at
from multicluster.simulator.kubernetes.quantities import quantity
from multicluster.simulator.kubernetes.resources import NODES
from multicluster.simulator.kubernetes.store import Store

_KEYED = re.compile(r"metadata\.(labels|annotations)\['([^']+)'\]")


def field_value(pod: Document, path: str) -> str:
    """Return the value of a `fieldRef`: empty for what is not set."""
    if match := _KEYED.fullmatch(path):
        return str(at(pod, "metadata", match[1], match[2], default=""))
    if path in ("metadata.labels", "metadata.annotations"):
        values = at(pod, *path.split("."), default={})
        return "\n".join(f'{key}="{value}"' for key, value in sorted(values.items()))
    if path == "status.podIPs":
        return str(at(pod, "status", "podIP", default=""))
    return str(at(pod, *path.split("."), default=""))


def resource_value(store: Store, pod: Document, container: Document, reference: Document) -> str:
    """Return the value of a `resourceFieldRef`, rounded up to whole units of its divisor.

    A limit that is not set is what the node has.
    """
    named = reference.get("containerName")
    if named:
        containers = [*(at(pod, "spec", "initContainers") or []), *pod["spec"]["containers"]]
        container = next((other for other in containers if other["name"] == named), container)
    kind, _, name = str(reference.get("resource", "")).partition(".")
    amount: Any = at(container, "resources", kind, name)
    if amount is None and kind == "limits":
        node = store.find(NODES, "", str(at(pod, "spec", "nodeName", default="")))
        amount = at(node, "status", "allocatable", name)
    divisor = quantity(reference.get("divisor") or "1") or Fraction(1)
    return str(math.ceil(quantity(amount or "0") / divisor))
