"""The demo's world, and the way into it. The simulator is loaded when a world is made: Airflow loads meanwhile."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from multicluster.cli.demo.scenarios import CLUSTERS

if TYPE_CHECKING:
    from multicluster.simulator.world import World


def make_world(*, watched: bool = False) -> World:
    """Make the demo's world: an EKS and a GKE cluster, whose clouds hurry, a little less when they are *watched*."""
    from multicluster.simulator.delays import Delays
    from multicluster.simulator.world import World

    delays = Delays(
        create=0.2, node_join=0.2, node_ready=0.2, gpu_ready=0.2, drain=0.1, delete=0.4,
        capacity_retry=0.3, capacity_timeout=1.2, operation=0.1,
    )  # fmt: skip
    world = World(delays=Delays() if watched else delays)
    world.add_eks(CLUSTERS["eks"])
    world.add_gke(CLUSTERS["gke"])
    return world


def world_environment(world: World) -> dict[str, str]:
    """Return the environment that leads Airflow into the world; writes the registry document it names."""
    registry = world.root / "registry.json"
    registry.write_text(json.dumps(world.registry()))
    return {**world.env(), "MULTICLUSTER_REGISTRY": str(registry)}


def launches(world: World) -> dict[str, int]:
    """Count the instances of node pools that were ever rented, by cloud."""
    keys = [group.key for group in world.groups.groups.values() for _ in group.instances]
    keys += [group.key for _, group in world.groups.terminated]
    return {
        "aws": sum(key.startswith("eks:") for key in keys),
        "google": sum(key.startswith("gke:") for key in keys),
    }
