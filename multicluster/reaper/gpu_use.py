"""Count the GPUs of our node pools at one moment: those that are ready, and those that nobody asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from multicluster.node_pools.node_facts import NodeFacts, quantity
from multicluster.reaper.nodes import list_nodes
from multicluster.reaper.pod_list import list_pods

if TYPE_CHECKING:
    from multicluster.registry.cluster import Cluster


@dataclass(frozen=True, kw_only=True)
class GpuUse:
    """GPUs, as the nodes advertise them: a slice counts as one where a profile asks for slices."""

    ready: int = 0
    """On Ready nodes of the pools."""
    idle: int = 0
    """Those that no running pod has asked for."""


def gpu_use(nodes: Iterable[NodeFacts], pods: Iterable[Mapping[str, Any]], resources: Collection[str]) -> GpuUse:
    """Hold what ready *nodes* offer of *resources* against what running *pods* on them have asked for."""
    free = {node.name: sum(map(node.offers, resources)) for node in nodes if node.ready}
    ready = sum(free.values())
    for pod in pods:
        spec = pod["spec"]
        if spec.get("nodeName") in free and (pod.get("status") or {}).get("phase") == "Running":
            free[spec["nodeName"]] -= sum(_asked(container, resources) for container in spec["containers"])
    return GpuUse(ready=ready, idle=sum(max(left, 0) for left in free.values()))


def gpu_use_on(cluster: Cluster, pools: Collection[str]) -> GpuUse:
    """Ask the API server about *pools*; blocks, and asks nothing where there are none. Raises AccessError.

    Pods of other namespaces are seen only where the identity may list them; their GPUs count as idle otherwise.
    """
    profiles = cluster.document.node_pools.profiles.values()
    resources = {profile.gpu.resource for profile in profiles if profile.gpu}
    if not pools or not resources:
        return GpuUse()
    wanted = f"{cluster.node_selector('')[0]} in ({','.join(sorted(pools))})"
    nodes = map(NodeFacts.from_object, list_nodes(cluster, wanted))
    return gpu_use(nodes, list_pods(cluster, field_selector="status.phase=Running"), resources)


def _asked(container: Mapping[str, Any], resources: Collection[str]) -> int:
    limits = (container.get("resources") or {}).get("limits") or {}
    return sum(quantity(limits.get(resource, 0)) for resource in resources)
