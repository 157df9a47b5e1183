"""Find the machines of node pools, by the labels that GKE gives them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from multicluster.node_pools.lease import MANAGED_BY, MANAGER
from multicluster.node_pools.leftover import Leftover, LeftoverKind

POOL = "goog-k8s-node-pool-name"


def machine_filter(cluster_name: str, location: str, pool: str = "") -> str:
    """Return Compute's filter for the machines of a *pool*, or of all pools of the cluster."""
    labels = {"goog-k8s-cluster-name": cluster_name, "goog-k8s-cluster-location": location}
    if pool:
        labels[POOL] = pool
    return " AND ".join(f"labels.{key}={value}" for key, value in labels.items())


def as_leftover(instance: Mapping[str, Any]) -> Leftover:
    """Write a machine as what would be left if its pool were gone; it carries the pool's own labels, too."""
    labels, made = instance.get("labels") or {}, instance.get("creationTimestamp")
    return Leftover(
        kind=LeftoverKind.INSTANCE,
        id=str(instance["name"]),
        pool=str(labels.get(POOL, "")),
        since=datetime.fromisoformat(str(made)).astimezone(UTC) if made else None,
        ours=labels.get(MANAGED_BY) == MANAGER,
    )
