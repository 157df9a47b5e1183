"""The rules of pods about other pods: whom they must be near, and whom they must not."""

from __future__ import annotations

from collections.abc import Iterable

from multicluster.simulator.kubernetes.documents import Document, at, name_of, namespace_of
from multicluster.simulator.kubernetes.scheduler.expressions import matches

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def objection(pod: Document, node: Document, nodes: Iterable[Document], pods: Iterable[Document]) -> str:
    """Return why a pod's rules about other pods keep it off a node, in the scheduler's words; empty if they do not.

    What other pods want of this one is not asked.
    """
    domains = {name_of(other): at(other, "metadata", "labels", default={}) for other in nodes}
    bound = [other for other in pods if at(other, "spec", "nodeName") in domains]

    def near(term: Document) -> bool:
        key = term["topologyKey"]
        here = at(node, "metadata", "labels", default={}).get(key)
        return any(domains[other["spec"]["nodeName"]].get(key) == here for other in bound if _meant(term, pod, other))

    for term in at(pod, "spec", "affinity", "podAffinity", _REQUIRED, default=[]):
        first = _meant(term, pod, pod) and not any(_meant(term, pod, other) for other in bound)
        if not near(term) and not first:
            return "node(s) didn't match pod affinity rules"
    if any(near(term) for term in at(pod, "spec", "affinity", "podAntiAffinity", _REQUIRED, default=[])):
        return "node(s) didn't match pod anti-affinity rules"
    return ""


def _meant(term: Document, pod: Document, other: Document) -> bool:
    selector, labels = term.get("labelSelector"), at(other, "metadata", "labels", default={})
    if selector is None or namespace_of(other) not in (term.get("namespaces") or [namespace_of(pod)]):
        return False
    pairs = (selector.get("matchLabels") or {}).items()
    return all(labels.get(key) == value for key, value in pairs) and all(
        matches(expression, labels) for expression in selector.get("matchExpressions") or []
    )
