"""The demo's world, and the way into it. The simulator is loaded when a world is made: Airflow loads meanwhile."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from multicluster.cli.demo.grounds import NOTICES, launcher
from multicluster.cli.demo.scenarios import CLUSTERS
from multicluster.cli.demo.workshop import cache_folder

if TYPE_CHECKING:
    from multicluster.grounds.testbed import TestbedCluster
    from multicluster.simulator.delays import Delays
    from multicluster.simulator.world import World

WORLD = "world"
"""The world's folder in the demo's own."""


def make_world(ground: str, home: Path, *, watched: bool = False) -> World:
    """Make the demo's world below a folder: an EKS and a GKE cluster; clouds hurry, a little less when *watched*."""
    from multicluster.simulator.delays import Delays
    from multicluster.simulator.world import World

    delays = Delays(
        create=0.2, node_join=0.2, node_ready=0.2, gpu_ready=0.2, drain=0.1, delete=0.4,
        capacity_retry=0.3, capacity_timeout=1.2, operation=0.1,
    )  # fmt: skip
    chosen = Delays() if watched else delays
    if ground == "testbed":
        return on_testbeds(chosen, home)
    world = World(delays=chosen, root=home / WORLD)
    world.add_eks(CLUSTERS["eks"])
    world.add_gke(CLUSTERS["gke"])
    return world


def on_testbeds(delays: Delays, home: Path) -> World:
    """Make the world on two testbeds, both started at a time; no nodes but those that a cloud rents.

    Interrupted, it waits until both have started or failed: what a thread goes on to make could not be ended.
    """
    from multicluster.grounds.testbeds import Testbeds
    from multicluster.simulator.clock import SystemClock
    from multicluster.simulator.world import World

    ground = Testbeds(command=launcher(), folder=testbeds_folder(), clock=SystemClock())
    world = World(delays=delays, ground=ground, root=home / WORLD)
    pool = ThreadPoolExecutor()
    try:
        eks = pool.submit(world.add_eks, CLUSTERS["eks"], system_nodes=0)
        gke = pool.submit(world.add_gke, CLUSTERS["gke"], system_nodes=0)
        eks.result(), gke.result()
    except BaseException:
        pool.shutdown()
        world.stop()
        raise
    pool.shutdown()
    return world


def end_abandoned() -> list[str]:
    """End the testbeds of demos that were killed, and return the names of their clusters."""
    from multicluster.grounds.testbeds import end_abandoned

    return end_abandoned(launcher(), testbeds_folder())


def testbeds_folder() -> Path:
    """Return where the testbeds of demos have their homes."""
    return cache_folder() / "testbed" / "worlds"


def notices(world: World, ground: str) -> list[str]:
    """Say what is running where, and on testbeds what judges tokens."""
    lines = [NOTICES[ground].format(clusters=", ".join(CLUSTERS.values()))]
    if name := judge(world):
        lines.append(f"tokens are judged by {name}, which asks a simulated STS; Google's by a simulated token info")
    return lines


def judge(world: World) -> str:
    """Name the program and release that judges tokens on testbeds; empty on the simulator."""
    testbed = _testbed(world, CLUSTERS["eks"])
    return testbed.judge if testbed else ""


def kubelets(world: World, cluster: str) -> tuple[str, ...]:
    """Return ``cluster/node`` of each kubelet that runs on a cluster's testbed. Blocks."""
    testbed = _testbed(world, cluster)
    return tuple(f"{cluster}/{node}" for node in testbed.kubelets()) if testbed else ()


def containers(world: World, cluster: str) -> tuple[str, ...]:
    """Return the ids of the containers that ran on a cluster's testbed."""
    testbed = _testbed(world, cluster)
    return testbed.containers if testbed else ()


def _testbed(world: World, cluster: str) -> TestbedCluster | None:
    from multicluster.simulator.simulated_ground import SimulatedGround

    if isinstance(world.ground, SimulatedGround):
        return None  # and what testbeds need is not loaded
    from multicluster.grounds.testbed import TestbedCluster

    found = world.entrances[cluster].kubernetes
    return found if isinstance(found, TestbedCluster) else None


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
