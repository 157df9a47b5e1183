"""A world as a whole: what it tells clients, what it counts, what it leaves behind."""

from __future__ import annotations

import json
from pathlib import Path

import boto3
import kubernetes
import pytest

from multicluster.registry.kind_documents import cluster_model
from multicluster.simulator import Delays, ManualClock, World


def test_boto3_finds_a_cluster_of_the_registry_in_the_environment(world: World, env: dict[str, str]) -> None:
    world.add_eks("gpu")
    entry = world.registry()["clusters"][0]

    described = (
        boto3.Session()
        .client("eks", region_name=entry["auth"]["eks"]["region"])
        .describe_cluster(name=entry["auth"]["eks"]["clusterName"])["cluster"]
    )

    assert described["endpoint"] == world.entrances["gpu"].kubernetes.url


def test_one_name_twice_in_one_place_is_refused(world: World) -> None:
    world.add_eks("gpu")
    world.add_eks("gpu", "eu-west-1")

    with pytest.raises(ValueError, match="'gpu-eu-west-1' is already in this world"):
        world.add_eks("gpu", "eu-west-1")


def test_stop_leaves_no_folder_behind() -> None:
    world = World()
    world.add_plain("laptop")
    world.registry()

    world.stop()

    assert not world.root.exists()


def test_gpu_seconds_are_counted_from_launch_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = ManualClock()
    with World(clock=clock, delays=Delays(create=10, node_join=10, node_ready=10, gpu_ready=10)) as world:
        for name, value in world.env().items():
            monkeypatch.setenv(name, value)
        world.add_eks("gpu")
        boto3.Session().client("eks").create_nodegroup(
            clusterName="gpu",
            nodegroupName="train",
            subnets=["subnet-a"],
            nodeRole="arn:aws:iam::111122223333:role/gpu-node",
            instanceTypes=["g6.12xlarge"],
            amiType="AL2023_x86_64_NVIDIA",
            scalingConfig={"minSize": 0, "maxSize": 1, "desiredSize": 1},
        )

        clock.advance(110)

        assert world.report().gpu_idle_seconds == 4 * 100
        assert world.report().gpu_busy_seconds == 0


def test_the_kubeconfig_opens_every_cluster(world: World, tmp_path: Path) -> None:
    world.add_eks("gpu")
    world.add_gke("tpu")
    world.add_plain("laptop")
    document = world.kubeconfig()

    nodes = {}
    for name in ("gpu", "tpu", "laptop"):
        api = kubernetes.config.new_client_from_config_dict(document, context=name)
        nodes[name] = [node.metadata.name for node in kubernetes.client.CoreV1Api(api).list_node().items]

    assert nodes == {"gpu": ["gpu-system-0"], "tpu": ["tpu-system-0"], "laptop": ["laptop-system-0"]}


def test_a_cluster_without_system_nodes_has_none(world: World) -> None:
    assert world.add_eks("gpu", system_nodes=0).kubernetes.objects("nodes") == []


def test_everything_listens_on_this_machine_only(world: World, env: dict[str, str]) -> None:
    world.add_gke("gpu")

    addresses = [value for name, value in env.items() if "URL" in name or "OVERRIDES" in name]

    assert addresses
    assert all("//127.0.0.1:" in address for address in addresses)


def test_worlds_live_side_by_side(world: World) -> None:
    with World() as other:
        other.add_eks("gpu")
        world.add_eks("gpu")

        assert other.aws_url != world.aws_url
        assert other.entrances["gpu"].kubernetes.url != world.entrances["gpu"].kubernetes.url


def test_the_registry_document_is_one_the_registry_reads(world: World) -> None:
    world.add_eks("gpu")
    world.add_eks("foreign", "eu-west-1", account="444455556666")
    world.add_gke("tpu")
    world.add_plain("laptop")

    kindless = cluster_model(None)
    clusters = [kindless.model_validate_json(json.dumps(entry)) for entry in world.registry()["clusters"]]

    assert [cluster.name for cluster in clusters] == ["gpu", "foreign", "tpu", "laptop"]
    assert [list(cluster.node_pools.profiles) for cluster in clusters] == [["l4"], ["l4"], ["l4"], []]
