"""Scale a GKE pool with the pods: up for pending ones that would fit its nodes, down when nodes stand idle."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from multicluster.simulator.fleet import State
from multicluster.simulator.kubernetes.scheduler.fitting import selected, tolerated

if TYPE_CHECKING:
    import datetime as dt
    from typing import Protocol

    from multicluster.simulator.fleet import NodeGroup
    from multicluster.simulator.node_groups import NodeGroups

    class Objects(Protocol):
        """The part of an API server the autoscaler looks at."""

        def objects(self, resource: str, namespace: str | None = None) -> list[dict[str, Any]]:
            """List objects."""


RESOURCE = "nvidia.com/gpu"
LIVE = {"Pending", "Running"}


async def autoscale(groups: NodeGroups, group: NodeGroup, cluster: Objects) -> None:
    """Look at the pods again and again; deleting the pool ends it."""
    idle_since: dict[str, dt.datetime] = {}
    while True:
        await groups.clock.sleep(groups.delays.autoscaler)
        if group.state not in {State.ACTIVE, State.DEGRADED}:
            continue
        pods = cluster.objects("pods")
        missing = nodes_missing(group, pods)
        if missing:
            idle_since.clear()
            group.desired = len(group.instances) + missing
            if await groups.fill(group):
                groups.mark(group, State.ACTIVE)
            group.desired = len(group.instances)
        elif not any(fits(group, pod) for pod in pods):
            shrink(groups, group, pods, idle_since)


def nodes_missing(group: NodeGroup, pods: list[dict[str, Any]]) -> int:
    """Count the nodes to add, for pods that no coming node will take; never over the maximum.

    The minimum adds none: GKE heeds it only when it scales down (kubernetes/autoscaler#2288).
    """
    pending = [pod for pod in pods if fits(group, pod)]
    per_node = group.machine.gpus or 1
    needed = math.ceil(sum(max(gpus(pod), 0 if group.machine.gpus else 1) for pod in pending) / per_node)
    if pending and not needed:
        needed = 1
    coming = sum(1 for instance in group.instances if group.machine.gpus and not instance.gpus_ready)
    return max(0, min(needed - coming, group.maximum - len(group.instances)))


def shrink(
    groups: NodeGroups, group: NodeGroup, pods: list[dict[str, Any]], idle_since: dict[str, dt.datetime]
) -> None:
    """Take away nodes that have been idle for long enough, down to the minimum."""
    now = groups.clock.now()
    busy = {pod["spec"].get("nodeName") for pod in pods if phase(pod) in LIVE and not of_daemon_set(pod)}
    for instance in list(group.instances):
        ready = instance.gpus_ready or not (group.machine.gpus and group.advertises_gpus)
        if instance.node in busy or not ready:
            idle_since.pop(instance.node, None)
            continue
        since = idle_since.setdefault(instance.node, now)
        if (now - since).total_seconds() >= groups.delays.scale_idle and len(group.instances) > group.minimum:
            groups.end(group, instance, "the cluster autoscaler removed an idle node.")
            group.desired = len(group.instances)


def fits(group: NodeGroup, pod: dict[str, Any]) -> bool:
    """Tell whether a pod that waits for a node would run on an empty node of the pool."""
    spec = pod["spec"]
    if spec.get("nodeName") or phase(pod) != "Pending" or pod["metadata"].get("deletionTimestamp"):
        return False
    if not selected(pod, {"metadata": {"name": "", "labels": group.labels}}):
        return False
    tolerations = spec.get("tolerations") or []
    # GKE's admission plugin lets pods that ask for GPUs tolerate the GPU taint.
    hard = [one for one in group.taints if one["effect"] != "PreferNoSchedule"]
    for_gpus = RESOURCE if gpus(pod) else None
    return gpus(pod) <= group.machine.gpus and all(
        one["key"] == for_gpus or tolerated(one, tolerations) for one in hard
    )


def gpus(pod: dict[str, Any]) -> int:
    """Count the GPUs a pod asks for."""
    limits = [
        (container.get("resources") or {}).get("limits") or {} for container in pod["spec"].get("containers") or []
    ]
    return sum(int(limit.get(RESOURCE, 0)) for limit in limits)


def phase(pod: dict[str, Any]) -> str:
    """Return a pod's phase; a new pod is Pending."""
    return str((pod.get("status") or {}).get("phase", "Pending"))


def of_daemon_set(pod: dict[str, Any]) -> bool:
    """Tell whether a DaemonSet owns the pod: such pods never keep a node."""
    return any(owner.get("kind") == "DaemonSet" for owner in pod["metadata"].get("ownerReferences") or [])
