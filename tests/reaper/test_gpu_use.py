"""Which GPUs of our pools nobody uses."""

from __future__ import annotations

import pytest

from multicluster.node_pools.node_facts import NodeFacts
from multicluster.reaper.gpu_use import GpuUse, gpu_use

GPU = "nvidia.com/gpu"


def node(name, gpus=4, *, ready=True):
    return NodeFacts(name=name, ready=ready, allocatable={GPU: str(gpus), "cpu": "8"})


def pod(where, *gpus, phase="Running"):
    containers = [{"name": f"c{at}", "resources": {"limits": {GPU: str(count)}}} for at, count in enumerate(gpus)]
    return {"spec": {"nodeName": where, "containers": [*containers, {"name": "sidecar"}]}, "status": {"phase": phase}}


@pytest.mark.parametrize(
    ("pods", "idle"),
    [
        ([], 8),
        ([pod("a", 4)], 4),
        ([pod("a", 1, 2), pod("b", 4)], 1),
        ([pod("elsewhere", 4)], 8),
        ([pod("a", 4, phase="Succeeded"), pod("b", 4, phase="Pending")], 8),
        ([pod("a", 9)], 4),
    ],
    ids=["nobody", "one", "several containers", "another node", "not running", "never less than none"],
)
def test_idle_is_what_ready_nodes_offer_and_running_pods_did_not_ask_for(pods, idle):
    assert gpu_use([node("a"), node("b")], pods, {GPU}) == GpuUse(ready=8, idle=idle)


def test_a_node_that_is_not_ready_offers_nothing():
    assert gpu_use([node("a", ready=False)], [], {GPU}) == GpuUse(ready=0, idle=0)


def test_what_the_profiles_call_a_gpu_counts_and_nothing_else():
    slices = NodeFacts(name="a", ready=True, allocatable={"nvidia.com/gpu.shared": "10", GPU: "0", "cpu": "8"})

    assert gpu_use([slices], [], {"nvidia.com/gpu.shared"}) == GpuUse(ready=10, idle=10)
