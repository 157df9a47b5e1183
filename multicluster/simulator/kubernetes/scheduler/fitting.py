"""Which node a pod fits on: a pure function of nodes, pods and the pod."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from multicluster.simulator.kubernetes.documents import Document, at, name_of
from multicluster.simulator.kubernetes.quantities import Quantities, node_allocatable, pod_requests
from multicluster.simulator.kubernetes.scheduler.expressions import matches
from multicluster.simulator.kubernetes.scheduler.neighbours import objection

TERMINAL = ("Succeeded", "Failed")
_DEFAULT_PODS = Fraction(110)
_UNREADABLE = (KeyError, TypeError, ValueError)
UNSCHEDULABLE_TAINT = "node.kubernetes.io/unschedulable"


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where a pod goes (`node`), or why nowhere (`reason`, the scheduler's message)."""

    node: str = ""
    reason: str = ""


def usage(pods: Iterable[Document]) -> dict[str, Quantities]:
    """Return what the pods that hold resources take, by node."""
    taken: dict[str, Quantities] = {}
    for pod in pods:
        node = at(pod, "spec", "nodeName")
        if node and at(pod, "status", "phase") not in TERMINAL:
            try:
                add(taken.setdefault(node, {}), pod_requests(pod))
            except _UNREADABLE:
                continue  # one bad object must not stop the loop; it was let in by no rule of ours
    return taken


def add(taken: Quantities, more: Quantities) -> None:
    """Add quantities in place."""
    for name, amount in more.items():
        taken[name] = taken.get(name, Fraction(0)) + amount


def fits(pod: Document, node: Document, taken: Mapping[str, Quantities]) -> bool:
    """Whether a pod fits on a node."""
    return not _obstacles(pod, node) and not _judged_shortages(pod_requests(pod), node, taken.get(name_of(node), {}))


def placement(
    pod: Document, nodes: Iterable[Document], taken: Mapping[str, Quantities], pods: Iterable[Document] = ()
) -> Placement:
    """Return where a pod goes: of the nodes it fits on, the one with the fewest pods."""
    every, others = list(nodes), list(pods)
    if not every:
        return Placement(reason="no nodes available to schedule pods")
    wanted = pod_requests(pod)
    reasons: Counter[str] = Counter()
    hopeful = 0
    fitting: list[tuple[Fraction, str]] = []
    for node in every:
        used = taken.get(name_of(node), {})
        obstacles = _obstacles(pod, node)
        if not obstacles:
            obstacles = _judged_shortages(wanted, node, used)
            hopeful += bool(obstacles) and not _judged_shortages(wanted, node, {})
        if not obstacles and (why := objection(pod, node, every, others)):
            obstacles = [why]
            hopeful += "anti" in why
        if not obstacles:
            fitting.append((used.get("pods", Fraction(0)), name_of(node)))
        reasons.update(obstacles)
    if fitting:
        return Placement(node=min(fitting)[1])
    return Placement(reason=_message(len(every), reasons, hopeful))


def _message(total: int, reasons: Counter[str], hopeful: int) -> str:
    """Write the scheduler's words (kubernetes/pkg/scheduler/framework `FitError`, preemption evaluator)."""
    listed = ", ".join(sorted(f"{count} {reason}" for reason, count in reasons.items()))
    victims = []
    if total > hopeful:
        victims.append(f"{total - hopeful} Preemption is not helpful for scheduling")
    if hopeful:
        victims.append(f"{hopeful} No preemption victims found for incoming pod")
    preemption = f"0/{total} nodes are available: {', '.join(sorted(victims))}."
    return f"0/{total} nodes are available: {listed}. no new claims to deallocate, preemption: {preemption}"


def _obstacles(pod: Document, node: Document) -> list[str]:
    """Return the first reason no eviction would help against."""
    spec = node.get("spec") or {}
    tolerations = at(pod, "spec", "tolerations", default=[])
    if spec.get("unschedulable") and not tolerated({"key": UNSCHEDULABLE_TAINT, "effect": "NoSchedule"}, tolerations):
        return ["node(s) were unschedulable"]
    for taint in spec.get("taints") or []:
        if taint.get("effect") in ("NoSchedule", "NoExecute") and not tolerated(taint, tolerations):
            return ["node(s) had untolerated taint(s)"]
    if not selected(pod, node):
        return ["node(s) didn't match Pod's node affinity/selector"]
    return []


def _judged_shortages(wanted: Quantities, node: Document, used: Quantities) -> list[str]:
    try:
        return _shortages(wanted, node, used)
    except _UNREADABLE:
        return ["node(s) had resources that cannot be read"]


def _shortages(wanted: Quantities, node: Document, used: Quantities) -> list[str]:
    allocatable = {"pods": _DEFAULT_PODS, **node_allocatable(node)}
    short = [
        name for name, amount in wanted.items() if amount and used.get(name, 0) + amount > allocatable.get(name, 0)
    ]
    return ["Too many pods" if name == "pods" else f"Insufficient {name}" for name in short]


def tolerated(taint: Document, tolerations: Iterable[Document]) -> bool:
    """Whether a toleration covers a taint (k8s.io/component-helpers `ToleratesTaint`)."""
    return any(_tolerates(toleration, taint) for toleration in tolerations)


def _tolerates(toleration: Document, taint: Document) -> bool:
    if toleration.get("effect") not in (None, "", taint.get("effect")):
        return False
    if toleration.get("key") not in (None, "", taint.get("key")):
        return False
    if toleration.get("operator") == "Exists":
        return True
    return bool(toleration.get("key")) and (toleration.get("value") or "") == (taint.get("value") or "")


def selected(pod: Document, node: Document) -> bool:
    """Whether a node is one the pod's selector and required node affinity ask for."""
    labels = at(node, "metadata", "labels", default={})
    if any(labels.get(key) != value for key, value in at(pod, "spec", "nodeSelector", default={}).items()):
        return False
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    affinity = at(pod, "spec", "affinity", "nodeAffinity", required)
    if affinity is None:
        return True
    return any(_term_matches(term, labels, name_of(node)) for term in affinity.get("nodeSelectorTerms") or [])


def _term_matches(term: Document, labels: Mapping[str, str], name: str) -> bool:
    expressions, fields = term.get("matchExpressions") or [], term.get("matchFields") or []
    if not expressions and not fields:
        return False
    return all(matches(expression, labels) for expression in expressions) and all(
        matches(field, {"metadata.name": name}) for field in fields
    )
