"""Look at one cluster: its pools, what is left of others, and nodes of pools that are gone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from multicluster.errors import MulticlusterError, NodePoolNotFoundError, NodePoolsUnsupportedError
from multicluster.node_pools import naming
from multicluster.node_pools.leftover import Leftover
from multicluster.node_pools.pool import NodePool
from multicluster.reaper.plan import Trouble

if TYPE_CHECKING:
    from multicluster.node_pools.protocol import NodePools
    from multicluster.reaper.nodes import PoolNodes
    from multicluster.registry.cluster import Cluster


@dataclass(frozen=True, kw_only=True)
class StrayNode:
    """A node of a pool of ours that is gone."""

    name: str
    pool: str
    machines: tuple[str, ...]
    """The machines that the pool still has."""


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """One cluster as it was found; what could not be looked at stands in ``troubles``."""

    cluster: str
    pools: tuple[NodePool, ...] = ()
    leftovers: tuple[Leftover, ...] = ()
    nodes: tuple[StrayNode, ...] = ()
    troubles: tuple[Trouble, ...] = ()


def look(cluster: Cluster, nodes_of: PoolNodes) -> Sighting:
    """Ask the cloud and the API server; never raises, so that one cluster's trouble hides no other's leaks."""
    sight = _Sight(cluster.name)
    try:
        pools = cluster.node_pools()
        sight.pools = list(pools.list())
    except NodePoolsUnsupportedError:
        return sight.seen()
    except Exception as error:  # noqa: BLE001 - the survey goes on; each trouble is reported
        sight.note("its node pools cannot be listed", error)
        return sight.seen()
    try:
        sight.leftovers = list(pools.leftovers())
    except Exception as error:  # noqa: BLE001 - as above
        sight.note("what is left of pools that are gone cannot be listed", error)
    try:
        there = {pool.name for pool in sight.pools}
        sight.nodes = list(_strays(pools, nodes_of(cluster, pools.node_selector("")[0]), there))
    except Exception as error:  # noqa: BLE001 - as above
        sight.note("nodes of pools that are gone cannot be looked for", error)
    return sight.seen()


def said(error: Exception) -> str:
    """Return what to tell of *error*; its class where it is not one of ours."""
    return str(error) if isinstance(error, MulticlusterError) else f"{type(error).__name__}: {error}"


class _Sight:
    """What is gathered of one cluster."""

    def __init__(self, cluster: str) -> None:
        self._cluster = cluster
        self._troubles: list[Trouble] = []
        self.pools: list[NodePool] = []
        self.leftovers: list[Leftover] = []
        self.nodes: list[StrayNode] = []

    def note(self, what: str, error: Exception) -> None:
        self._troubles.append(Trouble(cluster=self._cluster, text=f"{what}: {said(error)}"))

    def seen(self) -> Sighting:
        return Sighting(
            cluster=self._cluster,
            pools=tuple(self.pools),
            leftovers=tuple(self.leftovers),
            nodes=tuple(self.nodes),
            troubles=tuple(self._troubles),
        )


def _strays(pools: NodePools, pool_of: Mapping[str, str], there: Iterable[str]) -> Iterable[StrayNode]:
    """Yield nodes of pools with a name of ours that the cloud, asked once more, does not know."""
    gone: dict[str, tuple[str, ...] | None] = dict.fromkeys(there)
    for node, pool in sorted(pool_of.items()):
        if not naming.is_ours(pool):
            continue
        if pool not in gone:
            gone[pool] = pools.instances(pool) if _is_gone(pools, pool) else None
        machines = gone[pool]
        if machines is not None:
            yield StrayNode(name=node, pool=pool, machines=machines)


def _is_gone(pools: NodePools, name: str) -> bool:
    try:
        pools.get(name)
    except NodePoolNotFoundError:
        return True
    return False
