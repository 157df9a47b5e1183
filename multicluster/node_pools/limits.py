"""Hold what we make on one cluster to the limits of the registry."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from multicluster.errors import NodePoolLimitError
from multicluster.node_pools.pool import NodePool, NodePoolSpec


class Limits(Protocol):
    """The registry's ``limits``; None is no limit."""

    @property
    def pools(self) -> int | None:
        """How many pools of ours there may be."""
        ...

    @property
    def nodes(self) -> int | None:
        """How many nodes they may have together."""
        ...

    @property
    def max_lifetime_seconds(self) -> int | None:
        """How long a lease may last."""
        ...


def refuse_beyond(
    limits: Limits, existing: Iterable[NodePool], spec: NodePoolSpec, *, lifetime_seconds: float | None
) -> None:
    """Raise NodePoolLimitError, with the numbers, when *spec* would go beyond *limits*.

    Only pools with our lease count, whichever owner's; a pool of the spec's own name does not count twice, so that
    asking again is never refused for what was granted. *lifetime_seconds* is None for a pool without an end.
    """
    longest = limits.max_lifetime_seconds
    if longest is not None and (lifetime_seconds is None or lifetime_seconds > longest):
        asked = "no end" if lifetime_seconds is None else f"{lifetime_seconds:g} s"
        raise NodePoolLimitError(
            f"node pool {spec.name!r}: a lifetime of {asked} is beyond limits.maxLifetimeSeconds {longest}"
        )
    others = [pool for pool in existing if pool.lease is not None and pool.name != spec.name]
    _hold(spec.name, "pools", len(others) + 1, limits.pools, others)
    _hold(spec.name, "nodes", sum(pool.size or 0 for pool in others) + spec.size, limits.nodes, others)


def _hold(name: str, what: str, count: int, limit: int | None, others: list[NodePool]) -> None:
    if limit is None or count <= limit:
        return
    there = ", ".join(f"{pool.name} ({pool.size or 0})" for pool in others) or "none"
    raise NodePoolLimitError(
        f"node pool {name!r} would make {count} {what} of ours; limits.{what} of the registry is {limit}. "
        f"There are: {there}. Wait for one to go, delete one (multicluster pools delete), or raise the limit"
    )
