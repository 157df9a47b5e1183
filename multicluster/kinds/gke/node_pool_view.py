"""Read a node pool as GKE describes it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from multicluster.kinds.gke.node_pool_problems import condition_problems
from multicluster.node_pools.lease import KEEP, MANAGED_BY, MANAGER, Lease, read_moment
from multicluster.node_pools.pool import NodePool, NodePoolState, Problem

LABEL = "cloud.google.com/gke-nodepool"
MADE = "multicluster-made"
"""Our own label: when the pool was asked for, in epoch seconds."""
STATES = {
    "PROVISIONING": NodePoolState.PENDING,
    "RUNNING": NodePoolState.ACTIVE,
    "RUNNING_WITH_ERROR": NodePoolState.ACTIVE,
    "RECONCILING": NodePoolState.ACTIVE,
    "STOPPING": NodePoolState.DELETING,
    "ERROR": NodePoolState.FAILED,
}


def node_pool(pool: Mapping[str, Any], *more: Problem) -> NodePool:
    """Return the pool, with its conditions and *more* problems. GKE does not tell when a pool was made: MADE does."""
    name, status = str(pool["name"]), str(pool.get("status", "STATUS_UNSPECIFIED"))
    config = pool.get("config") or {}
    labels = config.get("resourceLabels") or {}
    return NodePool(
        name=name,
        state=STATES.get(status, NodePoolState.PENDING),
        status=status,
        created_at=_made_at(labels),
        size=size_of(pool),
        node_selector=(LABEL, name),
        lease=Lease.from_labels(labels),
        claimed=labels.get(MANAGED_BY) == MANAGER,
        keep=KEEP in labels,
        machine_type=config.get("machineType"),
        problems=(*condition_problems(pool), *more),
    )


def _made_at(labels: Mapping[str, str]) -> datetime | None:
    try:
        return read_moment(labels[MADE])
    except (KeyError, ValueError, OverflowError):
        return None


def size_of(pool: Mapping[str, Any]) -> int | None:
    """Return the most nodes that autoscaling may bring: for our pools what was asked for. Else what it began with."""
    scaling = pool.get("autoscaling") or {}
    if scaling.get("enabled"):
        total, zonal = int(scaling.get("totalMaxNodeCount") or 0), int(scaling.get("maxNodeCount") or 0)
        return total or zonal * zones(pool)
    return int(pool.get("initialNodeCount") or 0) * zones(pool)


def zones(pool: Mapping[str, Any]) -> int:
    """Return in how many zones the pool's nodes may be."""
    return len(pool.get("locations") or ()) or 1


def group_paths(pool: Mapping[str, Any]) -> list[str]:
    """Return the paths of the managed instance groups behind a pool, below Compute's ``/compute/v1/``."""
    urls = (str(url) for url in pool.get("instanceGroupUrls") or ())
    return ["projects/" + url.partition("/projects/")[2] for url in urls]
