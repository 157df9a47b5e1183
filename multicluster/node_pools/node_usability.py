"""Judge whether one node can take a pool's pods.

The notion of "initialised" is Karpenter's: Ready, no startup taint, extended resources advertised in ``allocatable``
(kubelets zero them when they start), DRA pools published.
"""

from __future__ import annotations

from collections.abc import Sequence

from multicluster.node_pools.node_facts import NodeFacts, SliceFacts, TaintFact
from multicluster.node_pools.profile import Gpu

STARTUP_TAINTS = frozenset(
    {
        "node.kubernetes.io/not-ready",
        "node.kubernetes.io/unreachable",
        "node.kubernetes.io/network-unavailable",
        "node.kubernetes.io/unschedulable",
        "node.kubernetes.io/out-of-service",
        "node.cloudprovider.kubernetes.io/uninitialized",
        "node.cloudprovider.kubernetes.io/shutdown",
        "karpenter.sh/unregistered",
        "karpenter.sh/disrupted",
        "ToBeDeletedByClusterAutoscaler",
        "cloud.google.com/impending-node-termination",
    }
)
STARTUP_PREFIXES = (
    "readiness.k8s.io/",
    "startup-taint.cluster-autoscaler.kubernetes.io/",
    "ignore-taint.cluster-autoscaler.kubernetes.io/",
    "aws-node-termination-handler/",
)
AGENT_SUFFIX = "/agent-not-ready"  # ebs.csi.aws.com, efs.csi.aws.com, node.cilium.io and others
PRESSURES = ("MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable")


def lack(node: NodeFacts, gpu: Gpu | None, slices: Sequence[SliceFacts]) -> str:
    """Return what keeps the pool's pods off *node*, the most fundamental lack first; empty when nothing does."""
    missing = _machine_lack(node) or next((f"the startup taint {t} is left" for t in node.taints if _starting(t)), "")
    if missing or gpu is None:
        return missing
    offered = gpus(node, gpu, slices)
    return "" if offered >= gpu.per_node else f"Ready, {offered} of {gpu.per_node} {gpu.resource} allocatable"


def gpus(node: NodeFacts, gpu: Gpu, slices: Sequence[SliceFacts]) -> int:
    """Count what the device plugin advertises, or what the DRA driver of the same vendor (gpu.nvidia.com) publishes."""
    return max(node.offers(gpu.resource), _published(node, f"gpu.{gpu.resource.partition('/')[0]}", slices))


def _machine_lack(node: NodeFacts) -> str:
    pressure = next((kind for kind in PRESSURES if node.conditions.get(kind) == "True"), "")
    broken = node.conditions.get("AcceleratedHardwareReady") == "False"  # set by EKS's node monitoring agent
    facts = (
        (node.deleting, "is being deleted"),
        (not node.ready, f"NotReady ({node.ready_reason})" if node.ready_reason else "NotReady"),
        (node.unschedulable, "cordoned"),
        (bool(pressure), pressure),
        (broken, "its GPUs are broken (AcceleratedHardwareReady is False)"),
    )
    return next((words for holds, words in facts if holds), "")


def _starting(taint: TaintFact) -> bool:
    if taint.effect == "PreferNoSchedule":
        return False
    return taint.key in STARTUP_TAINTS or taint.key.startswith(STARTUP_PREFIXES) or taint.key.endswith(AGENT_SUFFIX)


def _published(node: NodeFacts, driver: str, slices: Sequence[SliceFacts]) -> int:
    """Count the devices of complete pools in their newest generation (KEP-4381)."""
    mine = [one for one in slices if one.driver == driver and one.node == node.name]
    newest = {pool: max(one.generation for one in mine if one.pool == pool) for pool in {one.pool for one in mine}}
    devices = 0
    for pool, generation in newest.items():
        current = [one for one in mine if (one.pool, one.generation) == (pool, generation)]
        if len(current) >= current[0].slices:
            devices += sum(one.devices for one in current)
    return devices
