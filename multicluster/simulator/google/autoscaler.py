"""Scale a GKE pool with the pods: up for pending ones that would fit its nodes, down when nodes stand idle."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from multicluster.simulator.fleet import State

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
    """Look at the pods again and again until the pool's autoscaling is switched off; deleting the pool ends it, too."""
    idle_since: dict[str, dt.datetime] = {}
    while group.settings["autoscaling"] is not None:
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
    selector = spec.get("nodeSelector") or {}
    if any(group.labels.get(key) != value for key, value in selector.items()) or not affine(group, spec):
        return False
    tolerations = spec.get("tolerations") or []
    hard = [taint for taint in group.taints if taint["effect"] != "PreferNoSchedule"]
    # GKE's admission plugin lets pods that ask for GPUs tolerate the GPU taint.
    tolerated = [taint for taint in hard if tolerates(tolerations, taint) or (taint["key"] == RESOURCE and gpus(pod))]
    return len(tolerated) == len(hard) and gpus(pod) <= group.machine.gpus


def affine(group: NodeGroup, spec: dict[str, Any]) -> bool:
    """Tell whether required node affinity holds for the pool's labels."""
    required = ((spec.get("affinity") or {}).get("nodeAffinity") or {}).get(
        "requiredDuringSchedulingIgnoredDuringExecution"
    ) or {}
    terms = required.get("nodeSelectorTerms") or []
    return not terms or any(all(matches(group, rule) for rule in term.get("matchExpressions") or []) for term in terms)


def matches(group: NodeGroup, rule: dict[str, Any]) -> bool:
    """Tell whether one expression holds; numeric comparisons are taken to hold."""
    value, values = group.labels.get(rule["key"]), rule.get("values") or []
    truth = {
        "In": value in values,
        "NotIn": value not in values,
        "Exists": value is not None,
        "DoesNotExist": value is None,
    }
    return truth.get(rule["operator"], True)


def tolerates(tolerations: list[dict[str, Any]], taint: dict[str, str]) -> bool:
    """Tell whether any toleration covers a taint."""
    for toleration in tolerations:
        if toleration.get("effect") not in {None, "", taint["effect"]}:
            continue
        if toleration.get("operator") == "Exists" and toleration.get("key") in {None, "", taint["key"]}:
            return True
        if toleration.get("key") == taint["key"] and (toleration.get("value") or "") == (taint.get("value") or ""):
            return True
    return False


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
