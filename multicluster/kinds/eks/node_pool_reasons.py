"""Ask Auto Scaling why a node group gets no machines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from multicluster.kinds.eks.node_pool_problems import launch_problems
from multicluster.kinds.eks.node_pool_view import group_names
from multicluster.node_pools.pool import Problem

ACTIVITIES = 30


def reasons(autoscaling: Any, cluster_name: str, nodegroup: Mapping[str, Any]) -> tuple[Problem, ...]:
    """Return the failed launches of the Auto Scaling groups behind a node group, since the last one that worked.

    *autoscaling* is boto3's client, whose errors pass.
    """
    groups = group_names(nodegroup) or _groups_by_tag(autoscaling, cluster_name, nodegroup["nodegroupName"])
    return tuple(
        problem
        for group in groups
        for problem in launch_problems(
            autoscaling.describe_scaling_activities(AutoScalingGroupName=group, MaxRecords=ACTIVITIES)["Activities"]
        )
    )


def _groups_by_tag(autoscaling: Any, cluster_name: str, name: str) -> list[str]:
    """Find the Auto Scaling groups by EKS's own tags, while the node group does not name them yet."""
    filters = [
        {"Name": "tag:eks:cluster-name", "Values": [cluster_name]},
        {"Name": "tag:eks:nodegroup-name", "Values": [name]},
    ]
    answer = autoscaling.describe_auto_scaling_groups(Filters=filters)
    return [group["AutoScalingGroupName"] for group in answer["AutoScalingGroups"]]
