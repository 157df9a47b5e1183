"""Which pods of lower priority make room for one of higher: a pure function of nodes and pods."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from multicluster.simulator.kubernetes.documents import Document, at, name_of
from multicluster.simulator.kubernetes.scheduler.fitting import fits, usage


@dataclass(frozen=True, kw_only=True)
class Preemption:
    """The node a pod will have room on once its victims have gone."""

    node: str
    victims: tuple[Document, ...]


def preemption(pod: Document, nodes: Iterable[Document], pods: list[Document]) -> Preemption | None:
    """Return the least harmful way to make room: the lowest of the highest victims, then the fewest victims.

    None where no eviction helps, or the pod may not preempt.
    """
    if priority(pod) <= 0 or at(pod, "spec", "preemptionPolicy") == "Never":
        return None
    ways = [way for node in nodes if (way := _on(pod, node, pods)) is not None]
    return min(ways, key=lambda way: (max(map(priority, way.victims)), len(way.victims), way.node), default=None)


def priority(pod: Document) -> int:
    """Return a pod's priority."""
    return int(at(pod, "spec", "priority", default=0))


def _on(pod: Document, node: Document, pods: list[Document]) -> Preemption | None:
    """Return the pods that have to leave a node, sparing those of higher priority first."""
    here = [other for other in pods if at(other, "spec", "nodeName") == name_of(node)]
    lower = [other for other in here if priority(other) < priority(pod)]
    stay = [other for other in here if other not in lower]
    if not fits(pod, node, usage(stay)):
        return None
    victims = []
    for other in sorted(lower, key=priority, reverse=True):
        if fits(pod, node, usage([*stay, other])):
            stay.append(other)
        else:
            victims.append(other)
    return Preemption(node=name_of(node), victims=tuple(victims)) if victims else None
