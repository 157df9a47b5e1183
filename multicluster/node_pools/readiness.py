"""Judge whether pods can run on a node pool, from facts that somebody else fetched.

A pool is ready when as many of its nodes as were asked for are usable (see node_usability). Other pools' nodes never
count, however many GPUs they have.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from multicluster.node_pools.device_plugins import DaemonSetFacts, diagnose
from multicluster.node_pools.node_facts import NodeFacts, SliceFacts
from multicluster.node_pools.node_usability import gpus, lack
from multicluster.node_pools.pool import NodePool, NodePoolState, Problem
from multicluster.node_pools.profile import Gpu

__all__ = ["FAILED_LAUNCHES", "DaemonSetFacts", "NodeFacts", "Readiness", "SliceFacts", "readiness"]

FAILED_LAUNCHES = 3
"""After so many refusals for want of capacity in a row, waiting is taken to be hopeless: EKS itself would go on for
more than half an hour, time that is better spent on another zone, type or cluster."""


@dataclass(frozen=True, kw_only=True)
class Readiness:
    """A verdict: whether pods can run, and what was seen."""

    ready: bool
    reason: str
    """What was seen, in one sentence."""
    diagnosis: str = ""
    """What was seen and what most likely holds the pool back, with the cloud's words; empty when ready."""
    fatal: bool = False
    """Whether waiting cannot help."""
    nodes: int = 0
    """How many nodes of the pool are usable."""


def readiness(
    pool: NodePool,
    *,
    size: int,
    gpu: Gpu | None,
    nodes: Iterable[NodeFacts],
    resource_slices: Iterable[SliceFacts] = (),
    daemon_sets: Iterable[DaemonSetFacts] | None = None,
    failed_launches: int = FAILED_LAUNCHES,
) -> Readiness:
    """Judge *pool* by the nodes of the cluster (all of them, or its own: others are left out).

    *daemon_sets*, when given, lets the diagnosis name a device plugin that is absent or kept away. One look is not
    enough before work starts: whoever waits looks twice.
    """
    key, value = pool.node_selector
    slices = list(resource_slices)
    own = [node for node in nodes if node.labels.get(key) == value]
    lacks = {node.name: words for node in own if (words := lack(node, gpu, slices))}
    usable = len(own) - len(lacks)
    hopeless = _over(pool) or (_hopeless(pool, failed_launches) if usable < size else "")
    seen = f"{usable} of {size} nodes usable" + "".join(f"; {name}: {words}" for name, words in sorted(lacks.items()))
    if usable >= size and not hopeless:
        return Readiness(ready=True, reason=seen, nodes=usable)
    if hopeless:
        cause = hopeless
    elif len(own) < size:
        cause = _no_nodes(pool, len(own), size)
    else:
        cause = _no_gpus(own, gpu, slices, daemon_sets) or f"The pool is {pool.status}{_words(pool.problems)}"
    return Readiness(ready=False, reason=seen, diagnosis=f"{seen}. {cause}", fatal=bool(hopeless), nodes=usable)


def _over(pool: NodePool) -> str:
    """Say why a pool is of no use, whatever its nodes are; empty while it is."""
    if pool.state is NodePoolState.FAILED:
        return f"The pool failed ({pool.status}){_words(pool.problems)}"
    if pool.state is NodePoolState.DELETING:
        return f"The pool is being deleted ({pool.status})"
    return ""


def _hopeless(pool: NodePool, failed_launches: int) -> str:
    """Say why waiting for more nodes cannot help; empty while it can."""
    fatal = [problem for problem in pool.problems if problem.fatal]
    if fatal:
        return f"Waiting cannot help{_words(fatal)}"
    refused = [problem for problem in pool.problems if problem.capacity and problem.times >= failed_launches]
    return f"No capacity, {refused[0].times} times in a row{_words(refused)}" if refused else ""


def _no_nodes(pool: NodePool, there: int, size: int) -> str:
    words = _words(pool.problems) or "; it names no problem"
    return f"The cloud has brought {there} of {size} nodes, the pool is {pool.status}{words}"


def _no_gpus(
    own: Sequence[NodeFacts],
    gpu: Gpu | None,
    slices: Sequence[SliceFacts],
    daemon_sets: Iterable[DaemonSetFacts] | None,
) -> str:
    """Say why nodes that are fine otherwise offer no GPU; empty when there are none such."""
    if gpu is None:
        return ""
    bare = [node for node in own if not lack(node, None, slices) and gpus(node, gpu, slices) < gpu.per_node]
    if not bare:
        return ""
    if daemon_sets is None:
        return f"Nothing advertises {gpu.resource} yet: the device plugin is starting, missing, or kept off by a taint"
    return diagnose(daemon_sets, resource=gpu.resource, taints=bare[0].taints, labels=bare[0].labels)


def _words(problems: Iterable[Problem]) -> str:
    return "".join(f"; {problem.code}: {problem.message}" for problem in problems)
