"""What stands on a pool: tags of a node group, resource labels of a node pool."""

from __future__ import annotations

from multicluster.node_pools.lease import MANAGED_BY, MANAGER
from multicluster.simulator.fleet import NodeGroup


def tags_of(group: NodeGroup) -> dict[str, str]:
    """Return the tags of a node group, the labels of a node pool."""
    if "gke" in group.settings:
        labels: dict[str, str] = group.settings["gke"].config.setdefault("resourceLabels", {})
        return labels
    tags: dict[str, str] = group.settings["tags"]
    return tags


def ours(group: NodeGroup) -> bool:
    """Whether its tags say that it is ours."""
    return tags_of(group).get(MANAGED_BY) == MANAGER
