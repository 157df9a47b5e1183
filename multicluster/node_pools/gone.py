"""Judge whether a node pool is gone: the pool, its machines and its nodes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from multicluster.node_pools.pool import NodePool


@dataclass(frozen=True, kw_only=True)
class GoneVerdict:
    """A verdict: whether nothing is left, and what is."""

    gone: bool
    reason: str
    pools: tuple[str, ...] = ()
    instances: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()


def gone(name: str, *, pool: NodePool | None, instances: Iterable[str], nodes: Iterable[str]) -> GoneVerdict:
    """Judge by independent evidence; *pool* is None when the cloud knows none of that *name*.

    A pool the cloud has forgotten is not gone while a machine runs (it costs money) or a node is registered (pods may
    still be bound to it).
    """
    pools = (name,) if pool is not None else ()
    machines, left = tuple(sorted(instances)), tuple(sorted(nodes))
    if not (pools or machines or left):
        return GoneVerdict(gone=True, reason=f"node pool {name!r} is gone: 0 pools, 0 machines, 0 nodes")
    facts = []
    if pool is not None:
        words = "".join(f"; {problem.code}: {problem.message}" for problem in pool.problems)
        facts.append(f"the pool is {pool.status}{words}")
    if machines:
        facts.append(f"{len(machines)} machines left: {', '.join(machines)}")
    if left:
        facts.append(f"{len(left)} nodes left: {', '.join(left)}")
    reason = f"node pool {name!r} is not gone: {'; '.join(facts)}"
    return GoneVerdict(gone=False, reason=reason, pools=pools, instances=machines, nodes=left)
