"""Hold on to which cluster a pool was asked for on.

A registry may point a name elsewhere meanwhile: whoever deletes must look where the create looked, or "not found" is no
proof.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from multicluster.errors import NodePoolConflictError

if TYPE_CHECKING:
    from multicluster.registry.cluster import Cluster

_MEANS = ("credentials", "endpoint", "certificate_authority_data")
"""Options that say how a cluster is reached, not which one it is."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Names, and a digest of which cluster the name meant when the pool was asked for; empty when nobody wrote it.

    ``sure`` is False while nobody knows whether the cloud took the request: an answer was lost, or a process died.
    """

    cluster: str
    pool: str
    owner: str
    address: str = ""
    sure: bool = True


def address(cluster: Cluster) -> str:
    """Return a digest (16 hex characters) of the cluster that the registry means by its name now."""
    options = cluster.document.auth.options.model_dump(mode="json")
    facts = {name: value for name, value in options.items() if name not in _MEANS}
    return hashlib.sha256(json.dumps([cluster.kind, facts], sort_keys=True).encode()).hexdigest()[:16]


def refuse_elsewhere(cluster: Cluster, *, asked_for: str, pool: str) -> None:
    """Raise NodePoolConflictError when the name leads to another cluster than it did when the pool was asked for."""
    if asked_for and asked_for != address(cluster):
        raise NodePoolConflictError(
            f"{cluster.name!r} in the registry is another cluster than the one where node pool {pool!r} was asked "
            "for; that pool may still cost money: delete it there"
        )
