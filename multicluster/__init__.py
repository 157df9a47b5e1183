"""Many Kubernetes clusters by name: a registry, clients that renew their credentials, GPU node pools with a lease.

Importing this package imports no SDK, no Kubernetes client and no Airflow; all but the errors is loaded at first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from multicluster.errors import (
    AccessError,
    CloudUnavailableError,
    ClusterCordonedError,
    ClusterIdentityError,
    ClusterUnreachableError,
    CredentialError,
    CredentialUnavailableError,
    MissingExtraError,
    MulticlusterError,
    NodePoolBusyError,
    NodePoolConflictError,
    NodePoolError,
    NodePoolFailedError,
    NodePoolLimitError,
    NodePoolNotFoundError,
    NodePoolRefusedError,
    NodePoolsUnsupportedError,
    RegistryDocumentError,
    RegistryError,
    UnknownClusterError,
    UnknownProfileError,
)

if TYPE_CHECKING:
    from multicluster.access.token import Token
    from multicluster.node_pools.lease import Lease
    from multicluster.node_pools.node_facts import NodeFacts
    from multicluster.node_pools.pool import NodePool, NodePoolSpec, NodePoolState
    from multicluster.node_pools.profile import NodePoolProfile
    from multicluster.node_pools.readiness import Readiness, readiness
    from multicluster.registry.cluster import Cluster
    from multicluster.registry.load import load_registry
    from multicluster.registry.registry import Registry

__all__ = [
    "AccessError",
    "CloudUnavailableError",
    "Cluster",
    "ClusterCordonedError",
    "ClusterIdentityError",
    "ClusterUnreachableError",
    "CredentialError",
    "CredentialUnavailableError",
    "Lease",
    "MissingExtraError",
    "MulticlusterError",
    "NodeFacts",
    "NodePool",
    "NodePoolBusyError",
    "NodePoolConflictError",
    "NodePoolError",
    "NodePoolFailedError",
    "NodePoolLimitError",
    "NodePoolNotFoundError",
    "NodePoolProfile",
    "NodePoolRefusedError",
    "NodePoolSpec",
    "NodePoolState",
    "NodePoolsUnsupportedError",
    "Readiness",
    "Registry",
    "RegistryDocumentError",
    "RegistryError",
    "Token",
    "UnknownClusterError",
    "UnknownProfileError",
    "load_registry",
    "readiness",
]

_HOMES = {
    "Cluster": "multicluster.registry.cluster",
    "Lease": "multicluster.node_pools.lease",
    "NodeFacts": "multicluster.node_pools.node_facts",
    "NodePool": "multicluster.node_pools.pool",
    "NodePoolProfile": "multicluster.node_pools.profile",
    "NodePoolSpec": "multicluster.node_pools.pool",
    "NodePoolState": "multicluster.node_pools.pool",
    "Readiness": "multicluster.node_pools.readiness",
    "Registry": "multicluster.registry.registry",
    "Token": "multicluster.access.token",
    "load_registry": "multicluster.registry.load",
    "readiness": "multicluster.node_pools.readiness",
}


def __getattr__(name: str) -> Any:
    """Load *name* from its home at first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
