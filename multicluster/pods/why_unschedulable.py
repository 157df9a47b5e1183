"""Say which of a pod's demands no node meets.

The words are the scheduler's: kubernetes/pkg/scheduler/framework/types.go (FitError) and its plugins' reasons.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Protocol

from multicluster.pods.reading import at
from multicluster.pods.source import Document
from multicluster.pods.why import Kind

_COUNTED = re.compile(r"0/(\d+) nodes are available: (.*)", re.DOTALL)
_TAIL = re.compile(r"\.? (?:no new claims to deallocate, )?preemption: .*| no new claims to deallocate.*", re.DOTALL)
_VOLUME = re.compile(r"persistentvolume|volume", re.IGNORECASE)


class Taint(Protocol):
    """A taint of a node."""

    @property
    def key(self) -> str: ...  # noqa: D102
    @property
    def value(self) -> str: ...  # noqa: D102
    @property
    def effect(self) -> str: ...  # noqa: D102


class Node(Protocol):
    """What is asked about a node; NodeFacts answers it."""

    @property
    def labels(self) -> Mapping[str, str]: ...  # noqa: D102
    @property
    def taints(self) -> Sequence[Taint]: ...  # noqa: D102
    @property
    def allocatable(self) -> Mapping[str, str | int]: ...  # noqa: D102


def why_unschedulable(pod: Document, message: str, nodes: Sequence[Node] | None) -> tuple[Kind, str]:
    """Return what kind of demand it is and a sentence, from the scheduler's message and, where known, from all nodes.

    Without *nodes* the message alone is judged: it counts refusals, but says neither which label nor which device.
    """
    counted = _COUNTED.match(message)
    if counted is None:
        text = "the cluster has no nodes" if message.startswith("no nodes available") else message
        return _volume_kind(message), f"no node takes the pod: {text}"
    total, reasons = int(counted[1]), _TAIL.sub("", counted[2]).rstrip(". ")
    parts = [one.strip() for one in re.split(r", (?=\d+ )", reasons)]
    short = [match[1] for part in parts if (match := re.match(r"\d+ Insufficient (\S+)$", part))]
    fitting = matching(pod, nodes)
    for judged in (_selector(pod, parts, total, nodes), _devices(pod, short, total, fitting)):
        if judged:
            return judged
    volumes = [part for part in parts if _VOLUME.search(part)]
    if volumes:
        return Kind.VOLUME, f"no node can have the pod's volumes: {'; '.join(volumes)}"
    if short:
        asked = ", ".join(f"{name} {_asked(pod, name)}".strip() for name in short)
        return Kind.RESOURCES, f"no node has room for what the pod asks for ({asked}); {_nodes(parts, total)}"
    tainted = _taints(pod, parts, fitting)
    return Kind.NODES, f"no node takes the pod: {tainted or _nodes(parts, total)}"


def _selector(pod: Document, parts: list[str], total: int, nodes: Sequence[Node] | None) -> tuple[Kind, str] | None:
    """Judge selector and affinity: where they alone refuse, or no node has the labels."""
    missed = [part for part in parts if "didn't match Pod's node affinity/selector" in part]
    wanted = at(pod, "spec", "nodeSelector") or {}
    if not missed:
        return None
    absent = [f"{k}={v}" for k, v in wanted.items() if nodes and not any(one.labels.get(k) == v for one in nodes)]
    if absent:
        return Kind.NODES, f"none of the cluster's {total} nodes has the label {', '.join(absent)} (node selector)"
    if len(missed) < len(parts):
        return None
    asked = [f"{k}={v}" for k, v in wanted.items()] + _affinity(pod)
    return Kind.NODES, f"none of the cluster's {total} nodes matches {', '.join(asked)} (node selector and affinity)"


def _devices(pod: Document, short: list[str], total: int, fitting: Sequence[Node] | None) -> tuple[Kind, str] | None:
    """Judge extended resources: there is a difference between taken and not there."""
    for name in short:
        if "/" not in name or fitting is None:
            continue
        offered = sorted(str(n.allocatable.get(name, 0)) for n in fitting)
        where = f"the {len(fitting)} of {total} nodes that the pod's node selector allows"
        if not any(amount.strip("0") for amount in offered):
            return Kind.GPU, (
                f"no node advertises {name}: 0 allocatable on {where} (has the device plugin started, has the node "
                "with the devices joined?)"
            )
        amounts = ", ".join(sorted({amount for amount in offered if amount.strip("0")}))
        return Kind.RESOURCES, f"no {name} is free: the pod asks for {_asked(pod, name)}; nodes offer {amounts} in all"
    return None


def _taints(pod: Document, parts: list[str], fitting: Sequence[Node] | None) -> str:
    if fitting is None or not any("taint" in part for part in parts):
        return ""
    tolerations = at(pod, "spec", "tolerations") or []
    found = {
        f"{taint.key}={taint.value}:{taint.effect}" if taint.value else f"{taint.key}:{taint.effect}"
        for node in fitting
        for taint in node.taints
        if taint.effect in ("NoSchedule", "NoExecute") and not any(_tolerates(one, taint) for one in tolerations)
    }
    return f"it does not tolerate the taint {', '.join(sorted(found))} (tolerations)" if found else ""


def _tolerates(toleration: Mapping[str, str], taint: Taint) -> bool:
    if (toleration.get("effect") or taint.effect) != taint.effect or (toleration.get("key") or taint.key) != taint.key:
        return False
    return toleration.get("operator") == "Exists" or (toleration.get("value") or "") == taint.value


def matching(pod: Document, nodes: Sequence[Node] | None) -> list[Node] | None:
    """Return the nodes that have the labels of the pod's node selector; None where nodes are not known."""
    wanted = (at(pod, "spec", "nodeSelector") or {}).items()
    return None if nodes is None else [one for one in nodes if all(one.labels.get(k) == v for k, v in wanted)]


def _affinity(pod: Document) -> list[str]:
    required = at(pod, "spec", "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution") or {}
    return [
        " ".join([str(one.get("key")), str(one.get("operator")), "/".join(one.get("values") or ())]).strip()
        for term in required.get("nodeSelectorTerms") or ()
        for one in (*(term.get("matchExpressions") or ()), *(term.get("matchFields") or ()))
    ]


def _asked(pod: Document, resource: str) -> str:
    amounts = []
    for container in at(pod, "spec", "containers") or ():
        amount = at(container, "resources", "requests", resource) or at(container, "resources", "limits", resource)
        if amount:
            amounts.append(str(amount))
    return "+".join(amounts)


def _nodes(parts: list[str], total: int) -> str:
    said = [re.sub(r"^(\d+) (?:node\(s\) )?", r"\1 ", part) for part in parts]
    return f"of {total} nodes: {', '.join(said)}"


def _volume_kind(message: str) -> Kind:
    return Kind.VOLUME if _VOLUME.search(message) else Kind.NODES
