"""A world as a whole: what it tells clients, what it counts, what it leaves behind."""

from __future__ import annotations

import boto3
import pytest

from multicluster.simulator import World


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
