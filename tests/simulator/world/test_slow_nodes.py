"""Clouds whose nodes take their time: a pool waits for them, and for nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from multicluster.simulator import Delays, World
from multicluster.simulator.clock import SystemClock
from multicluster.simulator.fleet import NodeError
from multicluster.simulator.kubernetes import PodDelays
from multicluster.simulator.kubernetes.cluster import KubernetesCluster


class SlowCluster(KubernetesCluster):
    """A simulated cluster whose nodes have done nothing until they are let."""

    failure: NodeError | None = None

    def hold(self) -> None:
        self.gate = asyncio.Event()

    async def settled(self, name: str) -> None:
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure


@dataclass
class SlowGround:
    root: Any
    unable: dict[str, str] = field(default_factory=lambda: {"never-ready": "nodes here are ready or not"})

    def start(self, host, name, authenticate, *, rbac) -> SlowCluster:
        cluster = SlowCluster(
            name, host=host, clock=SystemClock(), root=self.root, authenticate=authenticate,
            delays=PodDelays(image_pull=0, start=0), rbac=rbac,
        )  # fmt: skip
        host.run(cluster.hold)
        cluster.start()
        return cluster

    def stop(self) -> None:
        """Keep nothing."""


@pytest.fixture
def slow_world(tmp_path) -> Iterator[World]:
    with World(delays=Delays.none(), ground=SlowGround(tmp_path / "clusters")) as world:
        yield world


@pytest.fixture
def eks(slow_world, monkeypatch, models):
    import boto3
    import botocore.session

    for name, value in slow_world.env().items():
        monkeypatch.setenv(name, value)
    inner = botocore.session.get_session()
    inner.register_component("data_loader", models)
    return boto3.Session(botocore_session=inner).client("eks")


GROUP = {
    "clusterName": "gpu", "nodegroupName": "train", "subnets": ["subnet-a"], "instanceTypes": ["g6.xlarge"],
    "nodeRole": "arn:aws:iam::111122223333:role/gpu-node", "amiType": "AL2023_x86_64_NVIDIA",
    "scalingConfig": {"minSize": 0, "maxSize": 1, "desiredSize": 1},
}  # fmt: skip


def group(eks) -> dict[str, Any]:
    return eks.describe_nodegroup(clusterName="gpu", nodegroupName="train")["nodegroup"]


def open_gate(world: World) -> None:
    cluster = world.entrances["gpu"].kubernetes
    world.host.run(cluster.gate.set)


def test_a_pool_is_active_only_when_its_nodes_have_come(slow_world, eks) -> None:
    slow_world.add_eks("gpu", system_nodes=0)
    eks.create_nodegroup(**GROUP)
    slow_world.wait(lambda: slow_world.entrances["gpu"].kubernetes.objects("nodes"))
    before = group(eks)["status"]

    open_gate(slow_world)
    slow_world.settle()

    assert (before, group(eks)["status"]) == ("CREATING", "ACTIVE")


def test_a_node_that_cannot_join_fails_its_pool(slow_world, eks) -> None:
    slow_world.add_eks("gpu", system_nodes=0).kubernetes.failure = NodeError("no room")
    open_gate(slow_world)
    eks.create_nodegroup(**GROUP)
    slow_world.settle()

    found = group(eks)

    assert found["status"] == "CREATE_FAILED"
    assert [issue["code"] for issue in found["health"]["issues"]] == ["NodeCreationFailure"]


def test_a_pool_is_not_gone_before_its_nodes_are(slow_world, eks) -> None:
    cluster = slow_world.add_eks("gpu", system_nodes=0).kubernetes
    open_gate(slow_world)
    eks.create_nodegroup(**GROUP)
    slow_world.settle()
    slow_world.host.run(cluster.hold)

    eks.delete_nodegroup(clusterName="gpu", nodegroupName="train")
    slow_world.wait(lambda: not cluster.objects("nodes"))
    before = slow_world.report()
    open_gate(slow_world)
    slow_world.settle()

    assert before.pools_left == ("gpu/train",)
    assert slow_world.report().pools_left == ()


def test_a_node_that_cannot_be_taken_away_fails_the_deletion(slow_world, eks) -> None:
    cluster = slow_world.add_eks("gpu", system_nodes=0).kubernetes
    open_gate(slow_world)
    eks.create_nodegroup(**GROUP)
    slow_world.settle()
    cluster.failure = NodeError("its kubelet does not end")

    eks.delete_nodegroup(clusterName="gpu", nodegroupName="train")
    slow_world.settle()

    found = group(eks)
    assert found["status"] == "DELETE_FAILED"
    assert found["health"]["issues"][0]["message"] == "its kubelet does not end"
    assert slow_world.report().instances_left


def test_a_fault_that_cannot_strike_on_a_ground_is_refused(slow_world) -> None:
    with pytest.raises(ValueError, match="'never-ready' cannot strike on this ground: nodes here are ready or not"):
        slow_world.inject("never-ready")
