"""A pool of 0 nodes grows for a pending GPU pod and shrinks when it is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from multicluster.simulator import ManualClock, World

POOLS = "clusters/gpu/nodePools"


def pool(**more: Any) -> dict[str, Any]:
    config = {
        "machineType": "g2-standard-4",
        "accelerators": [{"acceleratorCount": "1", "acceleratorType": "nvidia-l4"}],
        **more,
    }
    scaling = {"enabled": True, "totalMinNodeCount": 0, "totalMaxNodeCount": 2}
    return {
        "nodePool": {
            "name": "train",
            "initialNodeCount": 0,
            "locations": ["europe-west4-a"],
            "autoscaling": scaling,
            "config": config,
        }
    }


def pod(name: str, *, selector: str = "train", gpus: int = 1) -> dict[str, Any]:
    return {
        "metadata": {"name": name},
        "spec": {
            "restartPolicy": "Never",
            "nodeSelector": {"cloud.google.com/gke-nodepool": selector},
            "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists"}],
            "containers": [
                {
                    "name": "c",
                    "image": "busybox",
                    "command": ["sleep", "60"],
                    "resources": {"limits": {"nvidia.com/gpu": str(gpus)}},
                }
            ],
        },
    }


def nodes(world: World) -> int:
    return len(world.report().google.instances_left)


def advance_until(clock: ManualClock, condition: Callable[[], bool], step: float = 5, most: float = 3600) -> float:
    """Move the clock in steps until the condition holds; returns the seconds it took, on that clock."""
    for turn in range(int(most / step)):
        if condition():
            return turn * step
        clock.advance(step)
    raise TimeoutError(f"not within {most} s of the world's time")


def end_pod(world: World, cluster: Any) -> None:
    entrance = world.entrances["gpu"]
    (world.root / "ca.pem").write_bytes(cluster.ca_pem)
    answer = requests.delete(
        f"{cluster.url}/api/v1/namespaces/default/pods/fit",
        params={"gracePeriodSeconds": 0},
        headers={"Authorization": f"Bearer {entrance.admin_token}"},
        verify=str(world.root / "ca.pem"),
        timeout=5,
    )
    assert answer.status_code == 200


@pytest.fixture
def cluster(world: World) -> Any:
    return world.add_gke("gpu").kubernetes


@pytest.mark.parametrize("world", ["realistic"], indirect=True)
def test_a_pool_grows_for_a_pending_pod_and_shrinks_ten_minutes_after_it_is_gone(
    world: World, clock: ManualClock, call: Any, cluster: Any
) -> None:
    call("POST", POOLS, pool())
    clock.advance(60)
    before = nodes(world)
    cluster.create("pods", pod("fit"))

    grown = advance_until(clock, lambda: nodes(world) == 1)

    assert before == 0
    assert grown <= 15
    advance_until(clock, lambda: cluster.objects("pods")[0]["spec"].get("nodeName") is not None)
    clock.advance(1200)
    assert nodes(world) == 1
    end_pod(world, cluster)
    shrunk = advance_until(clock, lambda: nodes(world) == 0)
    assert 600 <= shrunk <= 700


@pytest.mark.parametrize("world", ["realistic"], indirect=True)
@pytest.mark.parametrize(("count", "expected"), [(2, 2), (3, 2)])
def test_a_pool_grows_to_its_maximum_and_no_further(  # noqa: PLR0917 - fixtures
    world: World, clock: ManualClock, call: Any, cluster: Any, count: int, expected: int
) -> None:
    call("POST", POOLS, pool())
    clock.advance(60)
    for number in range(count):
        cluster.create("pods", pod(f"p{number}"))

    clock.advance(120)

    assert nodes(world) == expected


@pytest.mark.parametrize("world", ["realistic"], indirect=True)
@pytest.mark.parametrize("misfit", [pod("x", selector="other"), pod("x", gpus=2)])
def test_a_pod_that_would_not_fit_brings_no_node(
    world: World, clock: ManualClock, call: Any, cluster: Any, misfit: dict[str, Any]
) -> None:
    call("POST", POOLS, pool())
    clock.advance(60)
    cluster.create("pods", misfit)

    clock.advance(300)

    assert nodes(world) == 0


@pytest.mark.parametrize("world", ["realistic"], indirect=True)
def test_a_stockout_while_scaling_up_shows_on_pool_and_instance_group(
    world: World, clock: ManualClock, call: Any, cluster: Any, credentials: Any
) -> None:
    from google.auth.transport.requests import AuthorizedSession

    call("POST", POOLS, pool())
    clock.advance(60)
    world.inject("no-capacity")
    cluster.create("pods", pod("fit"))
    clock.advance(120)

    (url,) = call("GET", f"{POOLS}/train").json()["instanceGroupUrls"]
    errors = AuthorizedSession(credentials).get(url + "/listErrors", timeout=5).json()["items"]
    clock.advance(2400)

    assert errors[0]["error"]["code"] == "ZONE_RESOURCE_POOL_EXHAUSTED"
    described = call("GET", f"{POOLS}/train").json()
    assert described["conditions"][0]["code"] == "GCE_STOCKOUT"
    assert described["status"] == "RUNNING_WITH_ERROR"


@pytest.mark.parametrize("world", ["realistic"], indirect=True)
def test_a_pool_in_a_stockout_can_be_deleted(world: World, clock: ManualClock, call: Any, cluster: Any) -> None:
    call("POST", POOLS, pool())
    clock.advance(60)
    world.inject("no-capacity")
    cluster.create("pods", pod("fit"))
    clock.advance(120)

    answer = call("DELETE", f"{POOLS}/train")
    clock.advance(600)

    assert answer.status_code == 200
    assert world.report().pools_left == ()


@pytest.mark.parametrize("world", ["realistic"], indirect=True)
def test_a_node_is_deleted_at_the_end_of_its_run(world: World, clock: ManualClock, call: Any, cluster: Any) -> None:
    call("POST", POOLS, pool(maxRunDuration="3600s"))
    clock.advance(60)
    cluster.create("pods", pod("fit"))
    advance_until(clock, lambda: nodes(world) == 1)

    clock.advance(3500)
    before = nodes(world)
    clock.advance(120)

    assert before == 1
    assert nodes(world) == 0


def test_with_real_clients_and_time_the_whole_run_works(world: World, call: Any, cluster: Any) -> None:
    call("POST", POOLS, pool())
    world.settle()
    cluster.create("pods", pod("fit"))

    bound = world.wait(lambda: cluster.objects("pods")[0]["spec"].get("nodeName", ""), timeout=60)

    assert bound.startswith("gke-gpu-train-")
