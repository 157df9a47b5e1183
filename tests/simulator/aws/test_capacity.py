"""What Auto Scaling and EC2 tell of a node group, in good times and bad."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from multicluster.simulator import Delays, ManualClock, World


def asg(client: Any) -> dict[str, Any]:
    tags = {"tag:eks:nodegroup-name": "train", "tag:eks:cluster-name": "gpu"}
    wanted = [{"Name": name, "Values": [value]} for name, value in tags.items()]
    return client("autoscaling").describe_auto_scaling_groups(Filters=wanted)["AutoScalingGroups"][0]


def described(client: Any) -> dict[str, Any]:
    return client("eks").describe_nodegroup(clusterName="gpu", nodegroupName="train")["nodegroup"]


def instances(client: Any, *states: str) -> list[dict[str, Any]]:
    wanted = [
        {"Name": "tag:eks:nodegroup-name", "Values": ["train"]},
        {"Name": "instance-state-name", "Values": list(states)},
    ]
    reservations = client("ec2").describe_instances(Filters=wanted)["Reservations"]
    return [instance for reservation in reservations for instance in reservation["Instances"]]


def test_the_group_behind_a_node_group_holds_its_instances(world: World, client: Any, group: dict[str, Any]) -> None:
    world.add_eks("gpu")
    client("eks").create_nodegroup(**group)
    world.settle()

    held = asg(client)

    assert held["AutoScalingGroupName"] == described(client)["resources"]["autoScalingGroups"][0]["name"]
    assert (held["MinSize"], held["MaxSize"], held["DesiredCapacity"]) == (0, 2, 2)
    ids = {instance["InstanceId"] for instance in held["Instances"]}
    assert ids == {instance["InstanceId"] for instance in instances(client, "running")}
    activities = client("autoscaling").describe_scaling_activities(AutoScalingGroupName=held["AutoScalingGroupName"])
    assert [activity["StatusCode"] for activity in activities["Activities"]] == ["Successful", "Successful"]


def test_after_a_delete_only_terminated_instances_are_left(world: World, client: Any, group: dict[str, Any]) -> None:
    world.add_eks("gpu")
    client("eks").create_nodegroup(**group)
    world.settle()
    client("eks").delete_nodegroup(clusterName="gpu", nodegroupName="train")
    world.settle()

    assert instances(client, "pending", "running", "shutting-down", "stopping", "stopped") == []
    assert len(instances(client, "terminated")) == 2
    assert world.report().instances_left == ()


@pytest.mark.parametrize("world", ["realistic"], indirect=True)
@pytest.mark.parametrize(
    ("fault", "capacity_type", "message"),
    [
        (
            "no-capacity",
            "ON_DEMAND",
            "Could not launch On-Demand Instances. InsufficientInstanceCapacity - We",
        ),
        (
            "no-quota",
            "ON_DEMAND",
            "Could not launch On-Demand Instances. VcpuLimitExceeded - You have",
        ),
        (
            "no-spot",
            "SPOT",
            "Could not launch Spot Instances. UnfulfillableCapacity - Unable to",
        ),
    ],
)
def test_without_capacity_a_group_stays_creating_in_health_while_activities_fail(  # noqa: PLR0917 - fixtures
    world: World, clock: ManualClock, client: Any, group: dict[str, Any], fault: str, capacity_type: str, message: str
) -> None:
    world.add_eks("gpu")
    world.inject(fault)
    client("eks").create_nodegroup(**group, capacityType=capacity_type)
    clock.advance(600)

    during = described(client)
    activities = client("autoscaling").describe_scaling_activities(
        AutoScalingGroupName=asg(client)["AutoScalingGroupName"]
    )["Activities"]

    assert (during["status"], during["health"]["issues"]) == ("CREATING", [])
    assert {activity["StatusCode"] for activity in activities} == {"Failed"}
    assert len(activities) == 10
    assert all(activity["StatusMessage"].startswith(message) for activity in activities)
    assert activities[0]["StartTime"] > activities[-1]["StartTime"]
    clock.advance(1600)
    after = described(client)
    assert (after["status"], after["health"]["issues"][0]["code"]) == ("CREATE_FAILED", "AsgInstanceLaunchFailures")


def test_capacity_that_comes_back_ends_the_waiting(world: World, client: Any, group: dict[str, Any]) -> None:
    world.groups.delays = Delays(create=0, node_join=0, node_ready=0, gpu_ready=0, capacity_retry=0.01)
    world.add_eks("gpu")
    world.inject("no-capacity", times=3)
    client("eks").create_nodegroup(**group)
    world.settle()

    assert described(client)["status"] == "ACTIVE"


def test_activities_come_in_pages(world: World, client: Any, group: dict[str, Any]) -> None:
    world.add_eks("gpu")
    client("eks").create_nodegroup(**group)
    world.settle()
    paginator = client("autoscaling").get_paginator("describe_scaling_activities")

    name = asg(client)["AutoScalingGroupName"]
    pages = list(paginator.paginate(AutoScalingGroupName=name, PaginationConfig={"PageSize": 1}))

    assert [len(page["Activities"]) for page in pages] == [1, 1]


def test_an_unknown_group_or_instance_is_refused(world: World, client: Any) -> None:
    with pytest.raises(ClientError, match="AutoScalingGroup nobody not found"):
        client("autoscaling").describe_scaling_activities(AutoScalingGroupName="nobody")
    with pytest.raises(ClientError, match="The instance ID 'i-1' does not exist"):
        client("ec2").describe_instances(InstanceIds=["i-1"])


@pytest.mark.parametrize(("fault", "left"), [("node-lost", 2), ("preempted", 1)])
def test_a_lost_node_is_replaced_and_a_preempted_one_is_not(
    world: World, client: Any, group: dict[str, Any], fault: str, left: int
) -> None:
    world.add_eks("gpu")
    client("eks").create_nodegroup(**group)
    world.settle()
    before = {instance["InstanceId"] for instance in instances(client, "running")}

    world.inject(fault, target="gpu/train")
    world.settle()

    after = {instance["InstanceId"] for instance in instances(client, "running")}
    assert len(after) == left
    assert len(before & after) == 1
