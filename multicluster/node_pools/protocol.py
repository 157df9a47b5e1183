"""The node pools of one cluster, behind verbs that never wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from multicluster.node_pools.lease import Lease
    from multicluster.node_pools.leftover import Leftover
    from multicluster.node_pools.pool import NodePool, NodePoolSpec


class NodePools(Protocol):
    """The node pools of one cluster. No method waits; each raises NodePoolError of the narrowest class."""

    def create(self, spec: NodePoolSpec, lease: Lease) -> NodePool:
        """Ask for a pool; the lease is written in the same call.

        Where the cloud has a dead-man switch it is armed first, for the lease's expiry and GRACE; what cannot be armed
        is not made. The same owner asking twice is one pool, its lease renewed; its end stays. Another owner's pool, or
        a stranger's, raises NodePoolConflictError.
        Ours and failed: its deletion is asked for and NodePoolBusyError raised, until it is gone and made again.
        """
        ...

    def get(self, name: str) -> NodePool:
        """Describe a pool with its problems, or raise NodePoolNotFoundError."""
        ...

    def fill(self, name: str) -> NodePool:
        """Describe a pool as ``get`` does; where the cloud makes pools empty, first ask for its nodes.

        For whoever waits for a pool to become ready, at every look: the nodes are asked for once, as soon as the cloud
        allows, and only while the lease lasts. On clouds that make pools with their nodes (EKS) it is ``get``.
        """
        ...

    def list(self) -> Iterator[NodePool]:
        """Yield every pool of the cluster, ours or not."""
        ...

    def delete(self, name: str) -> None:
        """Ask for deletion; asked again while deleting does nothing. Raises NodePoolNotFoundError once it is gone."""
        ...

    def renew(self, name: str, lease: Lease) -> None:
        """Write *lease* on the pool; a dead-man switch is moved first. Raises NodePoolNotFoundError."""
        ...

    def armed(self, name: str) -> datetime | None:
        """Return when the cloud itself ends the pool, with nobody of ours alive; None when it will not."""
        ...

    def release(self, name: str) -> None:
        """Take away what was kept beside a pool for its end (the dead-man switch); only once the pool is gone.

        Called again it does nothing.
        """
        ...

    def leftovers(self) -> Iterator[Leftover]:
        """Yield what is left of pools that the cloud no longer knows."""
        ...

    def instances(self, name: str) -> tuple[str, ...]:
        """Ids of the machines that still exist for the pool, also after the pool is gone: the proof of *gone*."""
        ...

    def node_selector(self, name: str) -> tuple[str, str]:
        """The label that the pool's nodes carry, known before the pool exists."""
        ...
