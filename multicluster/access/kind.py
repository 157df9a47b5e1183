"""What a kind of cluster brings: its options, and a way to reach one cluster with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from multicluster.access.clock import Clock, system_clock
from multicluster.access.shared import Shared

if TYPE_CHECKING:
    from pydantic import BaseModel

    from multicluster.access.cached_tokens import CachedTokens
    from multicluster.access.endpoint import Endpoint
    from multicluster.node_pools.protocol import NodePools


@dataclass(frozen=True, kw_only=True)
class Network:
    """How to reach the API server, from the registry's ``network`` block. Seconds."""

    proxy_url: str | None = None
    connect_timeout: float = 5
    read_timeout: float = 60


def no_connections(connection_id: str) -> Mapping[str, Any]:
    """Refuse: Airflow connections exist only where Airflow runs."""
    msg = f"the connection {connection_id!r} is an Airflow connection; it can be resolved inside Airflow only"
    raise LookupError(msg)


@dataclass(frozen=True, kw_only=True)
class ClusterContext:
    """What the registry knows about a cluster beside its kind's own options."""

    name: str
    network: Network = field(default_factory=Network)
    clock: Clock = system_clock
    node_pools: BaseModel | None = None
    """The kind's own node-pool settings (``nodePools.eks``, ``nodePools.gke``), already validated."""
    connection: Callable[[str], Mapping[str, Any]] = no_connections
    """Look up an Airflow connection: conn_type, host, login, password, extra (a dict). Raises LookupError."""
    shared: Shared = field(default_factory=Shared)
    """What clusters have in common; a registry hands the same one to all of its clusters."""


class ClusterAccess(Protocol):
    """The means to reach one cluster. Made without I/O; each method may do I/O and raise AccessError."""

    @property
    def tokens(self) -> CachedTokens | None:
        """The cluster's token cache; None when it is reached by client certificate or anonymously."""
        ...

    def endpoint(self, *, fresh: bool = False) -> Endpoint:
        """Where the API server is, asked once and cached; *fresh* asks again (after a TLS or DNS failure).

        See CachedEndpoint, which keeps a dead API server from being asked for with every request.
        """
        ...

    def node_pools(self) -> NodePools:
        """The cluster's node pools, or raise NodePoolsUnsupportedError."""
        ...


@dataclass(frozen=True, kw_only=True)
class KindDefinition:
    """One kind of cluster. ``kinds/NAME/__init__.py`` holds one as ``KIND``; it imports no SDK."""

    name: str
    """The key under ``auth:`` in the registry document, camelCase."""
    options: type[BaseModel]
    """Frozen pydantic model of what stands below that key."""
    access: str
    """``module:attribute`` of ``(options, context) -> ClusterAccess``; imported at first use."""
    node_pool_options: type[BaseModel] | None = None
    """Model of ``nodePools.NAME``; None where the kind has no node pools."""
    node_label: str | None = None
    """The label in which its nodes carry the name of their node pool; None where only NodePools can tell."""
    console_url: Callable[[Any, str], str | None] | None = None
    """Of ``(options, name of a node pool)``: its page in the cloud's console. Asks nobody, imports no SDK."""
    region: Callable[[Any], str] | None = None
    """Of ``options``: the region whose prices count."""
    extra: str | None = None
    """The extra of this distribution that installs what ``access`` imports."""
