"""Read a node group as EKS describes it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from multicluster.kinds.eks.node_pool_problems import health_problems
from multicluster.node_pools.lease import KEEP, MANAGED_BY, MANAGER, Lease
from multicluster.node_pools.pool import NodePool, NodePoolState, Problem

LABEL = "eks.amazonaws.com/nodegroup"
STATES = {
    "CREATING": NodePoolState.PENDING,
    "UPDATING": NodePoolState.ACTIVE,
    "ACTIVE": NodePoolState.ACTIVE,
    "DEGRADED": NodePoolState.ACTIVE,
    "DELETING": NodePoolState.DELETING,
    "CREATE_FAILED": NodePoolState.FAILED,
    "DELETE_FAILED": NodePoolState.FAILED,
}


def node_pool(nodegroup: Mapping[str, Any], *more: Problem) -> NodePool:
    """Return the pool, with its health issues and *more* problems."""
    name, status = str(nodegroup["nodegroupName"]), str(nodegroup.get("status", "UNKNOWN"))
    tags, state = nodegroup.get("tags") or {}, state_of(status)
    issues = (nodegroup.get("health") or {}).get("issues") or ()
    return NodePool(
        name=name,
        state=state,
        status=status,
        created_at=_utc(nodegroup.get("createdAt")),
        size=(nodegroup.get("scalingConfig") or {}).get("desiredSize"),
        node_selector=(LABEL, name),
        lease=Lease.from_labels(tags),
        claimed=tags.get(MANAGED_BY) == MANAGER,
        keep=KEEP in tags,
        machine_type=next(iter(nodegroup.get("instanceTypes") or ()), None),
        problems=(*health_problems(issues, failed=state is NodePoolState.FAILED), *more),
    )


def state_of(status: str) -> NodePoolState:
    """Return the state behind a status word; a word nobody knows yet is PENDING unless it speaks of failure or end."""
    if status in STATES:
        return STATES[status]
    if "FAILED" in status:
        return NodePoolState.FAILED
    return NodePoolState.DELETING if "DELET" in status else NodePoolState.PENDING


def group_names(nodegroup: Mapping[str, Any]) -> list[str]:
    """Return the names of the Auto Scaling groups behind a node group; none while EKS has not named them."""
    return [group["name"] for group in (nodegroup.get("resources") or {}).get("autoScalingGroups") or () if group]


def _utc(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC) if moment else None
