"""Where moto 5 differs from AWS, so that the laws marked ``not_on_moto`` cannot be held on it.

Each test asserts the difference, in process and on moto's server, and turns red when moto is mended; then the mark must
go. References: the APIs of EKS (2017-11-01), Auto Scaling (2011-01-01) and EC2 (2016-11-15).
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

REFERENCES = {
    "test_moto_has_no_states_between": "EKS Nodegroup.status: CREATING, UPDATING, DELETING come before the end",
    "test_moto_rents_no_machines": "EKS Nodegroup.resources.autoScalingGroups: a group that Auto Scaling knows, "
    "whose instances carry the tags eks:cluster-name and eks:nodegroup-name",
    "test_moto_knows_no_faults_of_the_cloud": "EKS errors ServerException, AccessDeniedException; Auto Scaling "
    "DescribeScalingActivities: StatusCode Failed, StatusMessage",
    "test_moto_ignores_the_request_token": "EKS CreateNodegroup.clientRequestToken: makes the request idempotent",
    "test_moto_checks_no_capacity_type": "EKS CreateNodegroup.capacityType: ON_DEMAND | SPOT | CAPACITY_BLOCK",
    "test_moto_tags_clusters_only": "EKS TagResource.resourceArn: clusters and managed node groups, among others",
    "test_moto_checks_no_sizes": "EKS NodegroupScalingConfig: desiredSize is at most maxSize",
}
GROUP = {
    "clusterName": "gpu",
    "nodegroupName": "train",
    "subnets": ["subnet-a"],
    "nodeRole": "arn:aws:iam::123456789012:role/node",
    "scalingConfig": {"minSize": 0, "maxSize": 2, "desiredSize": 2},
}


def make(aws: boto3.session.Session, **more: Any) -> dict[str, Any]:
    return aws.client("eks").create_nodegroup(**{**GROUP, **more})["nodegroup"]


def test_moto_has_no_states_between(aws: boto3.session.Session) -> None:
    eks = aws.client("eks")
    made = make(aws)["status"]
    deleted = eks.delete_nodegroup(clusterName="gpu", nodegroupName="train")["nodegroup"]["status"]

    assert (made, deleted) == ("ACTIVE", "ACTIVE")
    assert eks.list_nodegroups(clusterName="gpu")["nodegroups"] == []


def test_moto_rents_no_machines(aws: boto3.session.Session) -> None:
    named = make(aws)["resources"]["autoScalingGroups"]

    assert len(named) == 1
    assert aws.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"] == []
    assert aws.client("ec2").describe_instances()["Reservations"] == []


def test_moto_knows_no_faults_of_the_cloud(aws: boto3.session.Session) -> None:
    name = make(aws)["resources"]["autoScalingGroups"][0]["name"]

    activities = aws.client("autoscaling").describe_scaling_activities(AutoScalingGroupName=name)["Activities"]

    assert activities == []  # AWS: the activities of a group, or ValidationError for a name that it does not know


def test_moto_ignores_the_request_token(aws: boto3.session.Session) -> None:
    make(aws, clientRequestToken="once")

    with pytest.raises(aws.client("eks").exceptions.ResourceInUseException):
        make(aws, clientRequestToken="once")


def test_moto_checks_no_capacity_type(aws: boto3.session.Session) -> None:
    assert make(aws, capacityType="FREE")["capacityType"] == "FREE"


def test_moto_checks_no_sizes(aws: boto3.session.Session) -> None:
    sizes = {"minSize": 3, "maxSize": 1, "desiredSize": 9}

    assert make(aws, scalingConfig=sizes)["scalingConfig"] == sizes


def test_moto_tags_clusters_only(aws: boto3.session.Session) -> None:
    made = make(aws)["nodegroupArn"]

    with pytest.raises(ClientError, match="Resource was not found"):
        aws.client("eks").tag_resource(resourceArn=made, tags={"a": "b"})


def test_every_difference_has_its_reference() -> None:
    here = [name for name in globals() if name.startswith("test_moto_")]

    assert sorted(here) == sorted(REFERENCES)


def test_every_mark_names_a_difference() -> None:
    suites = [ast.parse(path.read_text()) for path in Path(__file__).parent.glob("test_*_contract.py")]
    named = [
        node.args[0].value  # type: ignore[attr-defined]
        for laws in suites
        for node in ast.walk(laws)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "not_on_moto"
    ]

    assert named
    assert set(named) <= set(REFERENCES)
