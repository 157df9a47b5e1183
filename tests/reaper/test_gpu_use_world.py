"""Idle GPUs as an API server tells of them."""

from __future__ import annotations

import pytest

from multicluster import load_registry
from multicluster.errors import AccessError
from multicluster.reaper.gpu_use import GpuUse, gpu_use_on
from multicluster.simulator import Fault, HttpError, World
from multicluster.simulator.kubernetes.nodes import NodeShape

LABEL, GPU = "eks.amazonaws.com/nodegroup", "nvidia.com/gpu"
FORBIDDEN = b'{"kind":"Status","status":"Failure","code":403,"message":"forbidden"}'


@pytest.fixture
def world(tmp_path, monkeypatch):
    """A cluster with two nodes of a pool of ours and one of somebody else's, four GPUs each."""
    from multicluster.simulator import Delays
    from multicluster.testing.world import enter

    with World(delays=Delays.none()) as made:
        made.add_eks("gpu-use1")
        for name, pool in (("one", "mc-ours"), ("two", "mc-ours"), ("theirs", "prod")):
            capacity = {GPU: "4", "cpu": "8", "memory": "32Gi", "pods": "110"}
            made.entrances["gpu-use1"].kubernetes.add_node(
                name, NodeShape(labels={LABEL: pool}, capacity=capacity, ready=True)
            )
        enter(made, tmp_path / "clusters.json", monkeypatch)
        yield made


@pytest.fixture
def cluster(world):
    return load_registry(world.registry())["gpu-use1"]


def run_pod(world, node, gpus, namespace="default"):
    kubernetes = world.entrances["gpu-use1"].kubernetes
    limits = {"limits": {GPU: str(gpus)}, "requests": {GPU: str(gpus)}}
    container = {"name": "base", "image": "busybox:1.37", "command": ["sleep", "600"], "resources": limits}
    document = {"metadata": {"name": f"fit-{node}"}, "spec": {"nodeName": node, "containers": [container]}}
    kubernetes.create("pods", document, namespace)
    world.wait(lambda: any(pod["status"].get("phase") == "Running" for pod in kubernetes.objects("pods", namespace)))


def test_gpus_of_our_pools_that_no_running_pod_asked_for_are_idle(world, cluster):
    run_pod(world, "one", 3)

    assert gpu_use_on(cluster, {"mc-ours"}) == GpuUse(ready=8, idle=5)


def test_without_pools_of_ours_nobody_is_asked(cluster, world):
    world.inject("api-server-error")

    assert gpu_use_on(cluster, set()) == GpuUse()
    assert world.faults.struck("api-server-error") == 0


def test_who_may_not_see_all_namespaces_sees_the_one_of_the_registry(world, cluster):
    run_pod(world, "one", 3)
    refusal = HttpError(code=403, body=FORBIDDEN)
    everywhere = Fault(name="f", effect=refusal, service="kubernetes", operation="list pods", target="/api/v1/pods")
    world.faults.add(everywhere)

    assert gpu_use_on(cluster, {"mc-ours"}) == GpuUse(ready=8, idle=5)
    assert world.faults.struck("f") == 1


def test_a_right_that_lacks_is_named(world, cluster):
    refusal = HttpError(code=403, body=FORBIDDEN)
    world.faults.add(Fault(name="f", effect=refusal, service="kubernetes", operation="list nodes", times=None))

    with pytest.raises(AccessError, match="cluster 'gpu-use1': listing nodes is answered 403"):
        gpu_use_on(cluster, {"mc-ours"})
