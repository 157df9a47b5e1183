"""Find the EC2 instances of node groups, by the tags that EKS gives them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import Any

from multicluster.node_pools import naming
from multicluster.node_pools.leftover import Leftover, LeftoverKind

CLUSTER, GROUP = "eks:cluster-name", "eks:nodegroup-name"
ALIVE = ["pending", "running", "stopping", "shutting-down"]
"""States of EC2 instances that cost money or still may; stopped ones are left to their owners."""


def machines(ec2: Any, cluster_name: str, group: str = "") -> list[Mapping[str, Any]]:
    """Return EC2's descriptions of the instances of a node *group*, or of all groups of the cluster."""
    filters = [
        {"Name": f"tag:{CLUSTER}", "Values": [cluster_name]},
        {"Name": f"tag:{GROUP}", "Values": [group]} if group else {"Name": "tag-key", "Values": [GROUP]},
        {"Name": "instance-state-name", "Values": ALIVE},
    ]
    pages = ec2.get_paginator("describe_instances").paginate(Filters=filters)
    return [instance for page in pages for reservation in page["Reservations"] for instance in reservation["Instances"]]


def as_leftover(instance: Mapping[str, Any]) -> Leftover:
    """Write an instance as what would be left if its node group were gone; it carries no tag of ours, but its name."""
    pool = next(str(tag["Value"]) for tag in instance["Tags"] if tag["Key"] == GROUP)
    launched = instance.get("LaunchTime")
    return Leftover(
        kind=LeftoverKind.INSTANCE,
        id=str(instance["InstanceId"]),
        pool=pool,
        since=launched.astimezone(UTC) if launched else None,
        ours=naming.is_ours(pool),
    )
