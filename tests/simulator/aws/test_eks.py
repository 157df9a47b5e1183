"""EKS as boto3 sees it: lives of node groups, and refusals as typed exceptions."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from multicluster.simulator import Delays, ManualClock, World, device_plugin

ROLE = "arn:aws:iam::111122223333:role/gpu-node"


def spec(name: str = "train", **more: Any) -> dict[str, Any]:
    return {
        "clusterName": "gpu",
        "nodegroupName": name,
        "subnets": ["subnet-a", "subnet-b"],
        "nodeRole": ROLE,
        "instanceTypes": ["g6.xlarge"],
        "amiType": "AL2023_x86_64_NVIDIA",
        "scalingConfig": {"minSize": 0, "maxSize": 2, "desiredSize": 2},
        **more,
    }


@pytest.fixture
def eks(world: World, client: Any) -> Any:
    world.add_eks("gpu")
    return client("eks")


def status(eks: Any, name: str = "train") -> str:
    return eks.describe_nodegroup(clusterName="gpu", nodegroupName=name)["nodegroup"]["status"]


def nodes(world: World) -> list[dict[str, Any]]:
    return [
        node
        for node in world.entrances["gpu"].kubernetes.objects("nodes")
        if "eks.amazonaws.com/nodegroup" in node["metadata"]["labels"]
    ]


def gpus(world: World) -> list[str]:
    return [node["status"]["allocatable"]["nvidia.com/gpu"] for node in nodes(world)]


def test_a_node_group_comes_up_with_labelled_tainted_nodes_that_offer_gpus(world: World, eks: Any) -> None:
    taint = {"key": "nvidia.com/gpu", "value": "present", "effect": "NO_SCHEDULE"}
    eks.create_nodegroup(**spec(labels={"team": "ml"}, taints=[taint], tags={"owner": "x y"}))
    world.settle()

    described = eks.describe_nodegroup(clusterName="gpu", nodegroupName="train")["nodegroup"]

    assert described["status"] == "ACTIVE"
    assert described["tags"] == {"owner": "x y"}
    assert described["labels"] == {"team": "ml"}
    assert gpus(world) == ["1", "1"]
    for node in nodes(world):
        assert node["metadata"]["labels"]["team"] == "ml"
        assert node["spec"]["taints"] == [{"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}]


def test_the_steps_come_one_after_another(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = ManualClock()
    delays = Delays(create=10, node_join=10, node_ready=10, gpu_ready=10, drain=10, delete=10)
    with World(clock=clock, delays=delays) as world:
        for name, value in world.env().items():
            monkeypatch.setenv(name, value)
        world.add_eks("gpu")
        eks = boto3.Session().client("eks")
        seen = []

        def look() -> None:
            ready = [n["status"]["conditions"][-1]["status"] for n in nodes(world)]
            taints = [len(n["spec"]["taints"]) for n in nodes(world)]
            seen.append((status(eks), ready, taints, gpus(world)))

        eks.create_nodegroup(**spec(scalingConfig={"minSize": 0, "maxSize": 1, "desiredSize": 1}))
        for _ in range(4):
            clock.advance(10.5)
            look()
        eks.delete_nodegroup(clusterName="gpu", nodegroupName="train")
        clock.advance(10.5)
        look()
        clock.advance(10.5)

        assert seen[0] == ("CREATING", [], [], [])
        assert (seen[1][0], len(seen[1][2]), seen[1][3]) == ("CREATING", 1, ["0"])
        assert seen[1][2][0] > 0
        assert (seen[2][0], seen[2][2], seen[2][3]) == ("ACTIVE", [0], ["0"])
        assert (seen[3][0], seen[3][3]) == ("ACTIVE", ["1"])
        assert seen[4] == ("DELETING", [], [], [])
        with pytest.raises(eks.exceptions.ResourceNotFoundException, match="No node group found for name: train"):
            status(eks)


def test_the_same_token_and_body_again_is_the_same_group(eks: Any) -> None:
    first = eks.create_nodegroup(**spec(clientRequestToken="run-1"))["nodegroup"]

    again = eks.create_nodegroup(**spec(clientRequestToken="run-1"))["nodegroup"]

    assert again["nodegroupArn"] == first["nodegroupArn"]


def test_a_name_taken_is_refused(eks: Any) -> None:
    eks.create_nodegroup(**spec())

    with pytest.raises(eks.exceptions.ResourceInUseException, match="already exists with name train"):
        eks.create_nodegroup(**spec())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"nodegroupName": "-x"}, "name -x is invalid"),
        ({"nodeRole": "gpu-node"}, "Node role ARN gpu-node is invalid"),
        ({"nodeRole": ROLE + "x"}, "role with name gpu-nodex cannot be found"),
        ({"subnets": ["vpc-1"]}, "subnet ID 'vpc-1' does not exist"),
        ({"instanceTypes": ["g99.huge"]}, r"instance types do not exist: \[g99.huge\]"),
        ({"capacityType": "FREE"}, "Invalid capacityType FREE"),
        ({"amiType": "AL2_x86_64_GPU"}, "not supported for Kubernetes version 1.35"),
        ({"amiType": "BEOS"}, "Requested amiType BEOS"),
        (
            {"scalingConfig": {"minSize": 3, "maxSize": 4, "desiredSize": 2}},
            "Minimum capacity 3 can't be",
        ),
        (
            {"scalingConfig": {"minSize": 0, "maxSize": 1, "desiredSize": 2}},
            "Desired capacity 2 can't be",
        ),
        ({"taints": [{"key": "a", "effect": "NoSchedule"}]}, "Invalid taint effect NoSchedule"),
        ({"labels": {"eks.amazonaws.com/x": "y"}}, "reserved prefixes"),
        ({"tags": {f"k{n}": "v" for n in range(51)}}, "Number of tags must not exceed 50"),
        ({"tags": {"aws:x": "v"}}, "Invalid tag"),
        ({"diskSize": 50, "launchTemplate": {"id": "lt-1"}}, "Disk size must be specified within the launch template"),
    ],
)
def test_a_bad_request_is_an_invalid_parameter(eks: Any, change: dict[str, Any], reason: str) -> None:
    with pytest.raises(eks.exceptions.InvalidParameterException, match=reason):
        eks.create_nodegroup(**{**spec(), **change})


def test_the_thirty_first_group_is_over_the_limit(world: World, eks: Any) -> None:
    for number in range(30):
        eks.create_nodegroup(**spec(f"n{number}", scalingConfig={"minSize": 0, "maxSize": 1, "desiredSize": 0}))

    with pytest.raises(eks.exceptions.ResourceLimitExceededException):
        eks.create_nodegroup(**spec("n30"))


def test_groups_are_listed_in_pages(eks: Any) -> None:
    for number in range(5):
        eks.create_nodegroup(**spec(f"n{number}", scalingConfig={"minSize": 0, "maxSize": 1, "desiredSize": 0}))

    pages = list(eks.get_paginator("list_nodegroups").paginate(clusterName="gpu", PaginationConfig={"PageSize": 2}))

    assert [page["nodegroups"] for page in pages] == [["n0", "n1"], ["n2", "n3"], ["n4"]]


def test_a_group_being_created_or_deleted_cannot_be_deleted(world: World, eks: Any) -> None:
    world.inject("no-capacity", target="gpu/stuck")
    world.groups.delays = Delays(create=0, capacity_timeout=60)
    eks.create_nodegroup(**spec("stuck"))

    with pytest.raises(eks.exceptions.ResourceInUseException, match="currently CREATING"):
        eks.delete_nodegroup(clusterName="gpu", nodegroupName="stuck")


def test_desired_size_can_be_changed_and_the_update_told_apart(world: World, eks: Any) -> None:
    eks.create_nodegroup(**spec())
    world.settle()

    update = eks.update_nodegroup_config(clusterName="gpu", nodegroupName="train", scalingConfig={"desiredSize": 0})[
        "update"
    ]
    world.settle()

    described = eks.describe_update(name="gpu", nodegroupName="train", updateId=update["id"])["update"]
    assert described["status"] == "Successful"
    assert gpus(world) == []


def test_a_group_that_is_not_active_cannot_be_updated(world: World, eks: Any) -> None:
    world.inject("create-fails")
    eks.create_nodegroup(**spec())
    world.settle()

    with pytest.raises(eks.exceptions.ResourceInUseException, match="currently not in Active State"):
        eks.update_nodegroup_config(clusterName="gpu", nodegroupName="train", scalingConfig={"desiredSize": 0})


def test_tags_of_a_group_change(eks: Any) -> None:
    arn = eks.create_nodegroup(**spec(tags={"a": "1", "b": "2"}))["nodegroup"]["nodegroupArn"]

    eks.tag_resource(resourceArn=arn, tags={"c": "3"})
    eks.untag_resource(resourceArn=arn, tagKeys=["a", "b"])

    assert eks.list_tags_for_resource(resourceArn=arn)["tags"] == {"c": "3"}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"taints": [{"key": "dedicated", "value": "run-42", "effect": "NO_SCHEDULE"}]}, ["0"]),
        ({"amiType": "AL2023_x86_64_STANDARD"}, ["0"]),
        ({"amiType": "BOTTLEROCKET_x86_64_NVIDIA", "taints": [{"key": "dedicated", "effect": "NO_SCHEDULE"}]}, ["1"]),
    ],
)
def test_gpus_appear_only_where_a_device_plugin_can_run(
    world: World, eks: Any, more: dict[str, Any], expected: list[str]
) -> None:
    eks.create_nodegroup(**spec(scalingConfig={"minSize": 0, "maxSize": 1, "desiredSize": 1}, **more))
    world.settle()

    assert gpus(world) == expected


def test_gpus_never_appear_once_the_device_plugin_is_removed(world: World, eks: Any) -> None:
    world.entrances["gpu"].kubernetes.delete("daemonsets", device_plugin.NVIDIA, device_plugin.NAMESPACE)

    eks.create_nodegroup(**spec(scalingConfig={"minSize": 0, "maxSize": 1, "desiredSize": 1}))
    world.settle()

    assert gpus(world) == ["0"]


def test_clusters_of_another_account_or_region_are_not_seen(world: World, eks: Any) -> None:
    world.add_eks("elsewhere", "eu-west-1")
    world.add_eks("foreign", account="444455556666")

    assert eks.list_clusters()["clusters"] == ["gpu"]
    assert boto3.Session().client("eks", region_name="eu-west-1").list_clusters()["clusters"] == ["elsewhere"]
    with pytest.raises(eks.exceptions.ResourceNotFoundException, match="No cluster found for name: foreign"):
        eks.describe_cluster(name="foreign")


def test_a_cluster_that_is_being_created_has_no_endpoint(world: World, eks: Any) -> None:
    cluster = world.add_eks("new")
    cluster.status = "CREATING"

    described = eks.describe_cluster(name="new")["cluster"]

    assert "endpoint" not in described
    assert "certificateAuthority" not in described


def test_an_operation_that_is_not_simulated_is_refused(eks: Any) -> None:
    with pytest.raises(ClientError, match="not simulated: GET /clusters/gpu/addons"):
        eks.list_addons(clusterName="gpu")
