"""GKE's REST API: clusters, pools, operations and their lock."""

from __future__ import annotations

import base64
from typing import Any

import pytest
import requests

from multicluster.simulator import ManualClock, World

L4 = {"machineType": "g2-standard-4", "accelerators": [{"acceleratorCount": "1", "acceleratorType": "nvidia-l4"}]}
ZONE = ["europe-west4-a"]
POOLS = "clusters/gpu/nodePools"


def pool(name: str = "train", nodes: int = 1, **more: Any) -> dict[str, Any]:
    return {"nodePool": {"name": name, "initialNodeCount": nodes, "locations": ZONE, "config": L4, **more}}


def gpu_nodes(world: World) -> list[dict[str, Any]]:
    nodes = world.entrances["gpu"].kubernetes.objects("nodes")
    return [node for node in nodes if "cloud.google.com/gke-nodepool" in node["metadata"]["labels"]]


def finish(world: World, answer: requests.Response, call: Any) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    world.settle()
    operation: dict[str, Any] = call("GET", f"operations/{answer.json()['name']}").json()
    return operation


def test_a_cluster_shows_both_its_endpoints(world: World, call: Any) -> None:
    cluster = world.add_gke("gpu")

    described = call("GET", "clusters/gpu").json()

    endpoints = described["controlPlaneEndpointsConfig"]
    assert f"https://{described['endpoint']}" == cluster.kubernetes.url
    assert endpoints["dnsEndpointConfig"]["endpoint"] == cluster.dns_endpoint
    assert base64.b64decode(described["masterAuth"]["clusterCaCertificate"]) == cluster.kubernetes.ca_pem


def test_the_dns_endpoint_is_trusted_by_public_cas_only(world: World, env: dict[str, str], credentials: Any) -> None:
    from google.auth.transport.requests import Request

    cluster = world.add_gke("gpu")
    credentials.refresh(Request())
    headers = {"Authorization": f"Bearer {credentials.token}"}
    (world.root / "cluster-ca.pem").write_bytes(cluster.kubernetes.ca_pem)

    public = requests.get(f"https://{cluster.dns_endpoint}/api/v1/nodes", headers=headers, timeout=5)

    assert public.status_code == 200
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(f"https://{cluster.dns_endpoint}/api", verify=str(world.root / "cluster-ca.pem"), timeout=5)
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(f"{cluster.kubernetes.url}/api", timeout=5)


def test_a_pool_comes_up_with_gkes_own_labels_and_taint_and_goes_again(world: World, call: Any) -> None:
    world.add_gke("gpu")

    created = finish(world, call("POST", POOLS, pool()), call)

    assert (created["status"], created["operationType"]) == ("DONE", "CREATE_NODE_POOL")
    (node,) = gpu_nodes(world)
    assert node["metadata"]["labels"]["cloud.google.com/gke-accelerator"] == "nvidia-l4"
    assert node["spec"]["taints"] == [{"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}]
    assert node["status"]["allocatable"]["nvidia.com/gpu"] == "1"
    assert call("GET", f"{POOLS}/train").json()["status"] == "RUNNING"
    deleted = finish(world, call("DELETE", f"{POOLS}/train"), call)
    assert deleted["status"] == "DONE"
    assert call("GET", f"{POOLS}/train").status_code == 404
    assert call("GET", POOLS).json() == {}
    assert gpu_nodes(world) == []


def test_initial_nodes_count_for_each_zone(world: World, call: Any) -> None:
    world.add_gke("gpu")

    finish(world, call("POST", POOLS, {"nodePool": {"name": "train", "initialNodeCount": 1, "config": L4}}), call)

    zones = {node["metadata"]["labels"]["topology.kubernetes.io/zone"] for node in gpu_nodes(world)}
    assert zones == {"europe-west4-a", "europe-west4-b", "europe-west4-c"}


def test_the_gpu_taint_is_not_added_on_a_cluster_without_a_cpu_pool(world: World, call: Any) -> None:
    world.add_gke("gpu").has_cpu_pool = False

    finish(world, call("POST", POOLS, pool()), call)

    assert gpu_nodes(world)[0]["spec"]["taints"] == []


@pytest.mark.parametrize("world", ["realistic"], indirect=True)
def test_a_cluster_does_one_operation_at_a_time(world: World, call: Any) -> None:
    world.add_gke("gpu")
    busy = call("POST", POOLS, pool()).json()["name"]

    answers = [call("POST", POOLS, pool("other")), call("DELETE", f"{POOLS}/train")]

    for answer in answers:
        error = answer.json()["error"]
        assert (answer.status_code, error["status"]) == (400, "FAILED_PRECONDITION")
        assert error["message"] == f"Cluster is running incompatible operation {busy}."
        assert error["details"][0]["reason"] == "CLUSTER_ALREADY_HAS_OPERATION"
    assert call("GET", f"operations/{busy}").json()["status"] == "RUNNING"


def test_a_name_taken_is_409(world: World, call: Any) -> None:
    world.add_gke("gpu")
    finish(world, call("POST", POOLS, pool()), call)

    answer = call("POST", POOLS, pool())

    assert (answer.status_code, answer.json()["error"]["status"]) == (409, "ALREADY_EXISTS")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (pool("Train"), "node_pool.name"),
        (pool("x" * 41), "node_pool.name"),
        (pool(config={"machineType": "g9-huge"}), "does not exist in zone"),
        (pool(config={**L4, "spot": True, "flexStart": True}), "Only one of spot, flexStart"),
        (pool(config={**L4, "flexStart": True}), "flex-start needs autoscaling"),
        (pool(config={**L4, "maxRunDuration": "1h"}), "max_run_duration"),
        (pool(config={**L4, "taints": [{"key": "a", "effect": "NoSchedule"}]}), "Invalid taint"),
        (pool(autoscaling={"enabled": True}), "must be greater than 0"),
        (pool(autoscaling={"enabled": True, "totalMaxNodeCount": 1, "maxNodeCount": 1}), "cannot be used together"),
        (
            pool(config={**L4, "accelerators": [{"acceleratorCount": "2", "acceleratorType": "nvidia-l4"}]}),
            "cannot be used with accelerator",
        ),
    ],
)
def test_a_bad_pool_is_an_invalid_argument(world: World, call: Any, body: dict[str, Any], reason: str) -> None:
    world.add_gke("gpu")

    answer = call("POST", POOLS, body)

    assert (answer.status_code, answer.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert reason in answer.json()["error"]["message"]


@pytest.mark.parametrize("path", ["clusters/none", "clusters/gpu/nodePools/none", "operations/none"])
def test_what_is_not_there_is_404(world: World, call: Any, path: str) -> None:
    world.add_gke("gpu")

    answer = call("GET", path)

    assert (answer.status_code, answer.json()["error"]["status"]) == (404, "NOT_FOUND")


def test_a_method_that_is_not_simulated_is_refused(world: World, call: Any) -> None:
    world.add_gke("gpu")

    answer = call("POST", "clusters/gpu:setLegacyAbac", {})

    assert answer.status_code == 404


def test_a_pool_is_resized(world: World, call: Any) -> None:
    world.add_gke("gpu")
    finish(world, call("POST", POOLS, pool(nodes=2)), call)

    resized = finish(world, call("POST", f"{POOLS}/train:setSize", {"nodeCount": 0}), call)

    assert resized["status"] == "DONE"
    assert gpu_nodes(world) == []


@pytest.mark.parametrize("world", ["realistic"], indirect=True)
def test_a_stockout_blocks_the_cluster_and_leaves_a_pool_in_error(world: World, clock: ManualClock, call: Any) -> None:
    world.add_gke("gpu")
    world.inject("no-capacity", target="gpu/train")
    operation = call("POST", POOLS, pool()).json()["name"]
    clock.advance(1800)

    during = call("GET", f"{POOLS}/train").json()["status"]
    blocked = call("DELETE", f"{POOLS}/train").status_code
    clock.advance(600)
    ended = call("GET", f"operations/{operation}").json()
    after = call("GET", f"{POOLS}/train").json()

    assert (during, blocked) == ("PROVISIONING", 400)
    assert (ended["status"], ended["error"]["code"]) == ("DONE", 8)
    assert after["status"] == "ERROR"
    assert (after["conditions"][0]["code"], after["conditions"][0]["canonicalCode"]) == (
        "GCE_STOCKOUT",
        "RESOURCE_EXHAUSTED",
    )
    assert "ZONE_RESOURCE_POOL_EXHAUSTED" in after["statusMessage"]


def test_a_delete_that_fails_leaves_the_pool_in_error(world: World, call: Any) -> None:
    world.add_gke("gpu")
    finish(world, call("POST", POOLS, pool()), call)
    world.inject("delete-fails", times=1)

    failed = finish(world, call("DELETE", f"{POOLS}/train"), call)
    status = call("GET", f"{POOLS}/train").json()["status"]
    again = finish(world, call("DELETE", f"{POOLS}/train"), call)

    assert failed["error"]["code"] == 13
    assert status == "ERROR"
    assert "error" not in again
    assert world.report().pools_left == ()


def test_the_instance_group_of_a_pool_lists_its_machines(world: World, call: Any, credentials: Any) -> None:
    from google.auth.transport.requests import AuthorizedSession

    world.add_gke("gpu")
    finish(world, call("POST", POOLS, pool(nodes=2)), call)
    session = AuthorizedSession(credentials)
    (url,) = call("GET", f"{POOLS}/train").json()["instanceGroupUrls"]

    place = f"{world.google.url}/compute/v1/projects/acme/zones/{ZONE[0]}/instances"
    machines = session.get(place, timeout=5).json()["items"]

    assert sorted(item["name"] for item in machines) == sorted(world.report().instances_left)
    assert session.get(url, timeout=5).json()["targetSize"] == 2
    assert session.get(url + "/listErrors", timeout=5).json() == {"items": []}
    finish(world, call("DELETE", f"{POOLS}/train"), call)
    assert session.get(url, timeout=5).status_code == 404
    assert "items" not in session.get(place, timeout=5).json()
