"""Say what IAM must allow for each operation: its action and ARN, and what services ask on behalf of their caller.

Actions, resource types and condition keys are those of AWS's service authorization reference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from multicluster.simulator.aws.nodegroups import nodegroup_arn
from multicluster.simulator.aws.policies import Ask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from multicluster.simulator.aws.call import Call
    from multicluster.simulator.aws.clusters import EksCluster
    from multicluster.simulator.aws.eks import Eks

SERVICE_ROLE = "aws-service-role/eks-nodegroup.amazonaws.com/AWSServiceRoleForAmazonEKSNodegroup"
NO_SERVICE_ROLE = (
    "Failed to validate if SLR: AWSServiceRoleForAmazonEKSNodegroup already exists due to missing permissions "
    "for 'iam:GetRole'"
)  # seen with terraform-aws-eks (issue 823) and many others
NO_SUBNETS = "You are not authorized to perform ec2:DescribeSubnets. {}"  # aws-controllers-k8s/community issue 2164
FREE = frozenset({"sts:GetCallerIdentity"})


def asks(operation: str, call: Call, eks: Eks) -> Iterator[Ask]:
    """Yield what an operation asks for, in the order in which it is looked at."""
    action = f"{call.service}:{operation}"
    if call.service == "eks":
        yield from _eks(action, call, eks)
    elif call.service == "scheduler":
        yield from _scheduler(action, call)
    elif action == "sts:AssumeRole":
        yield Ask(action=action, resource=call.body.get("RoleArn", ""))
    elif action not in FREE:
        yield Ask(action=action)


def _eks(action: str, call: Call, eks: Eks) -> Iterator[Ask]:
    arn = f"arn:aws:eks:{call.region}:{call.caller.account}"
    if call.path[0] == "tags":
        group = next((group for group in _groups(eks) if group[0] == call.path[1]), None)
        yield Ask(action=action, resource=call.path[1], context={**(group[1] if group else {}), **_requested(call)})
    elif len(call.path) == 1:
        yield Ask(action=action, resource=f"{arn}:cluster/*")
    elif len(call.path) > 3 and call.path[2] == "node-groups":  # noqa: PLR2004 - clusters/CLUSTER/node-groups/GROUP
        place = f"{arn}:nodegroup/{call.path[1]}/{call.path[3]}/"
        there = next((group for group in _groups(eks) if group[0].startswith(place)), (place + "*", {}))
        yield Ask(action=action, resource=there[0], context=there[1])
    else:
        yield Ask(action=action, resource=f"{arn}:cluster/{call.path[1]}", context=_requested(call))
    if action == "eks:CreateNodegroup":
        yield from _create_nodegroup(call, arn)


def _create_nodegroup(call: Call, arn: str) -> Iterator[Ask]:
    """Yield what EKS looks at as the caller before it takes a node group over."""
    if call.body.get("tags"):
        group = f"{arn}:nodegroup/{call.path[1]}/{call.body.get('nodegroupName')}/*"
        yield Ask(action="eks:TagResource", resource=group, context=_requested(call))
    role, service = str(call.body.get("nodeRole")), {"iam:PassedToService": "eks.amazonaws.com"}
    yield Ask(action="iam:PassRole", resource=role, context=service)
    yield Ask(action="iam:GetRole", resource=role)
    yield Ask(action="iam:ListAttachedRolePolicies", resource=role)
    service_role = f"arn:aws:iam::{call.caller.account}:role/{SERVICE_ROLE}"
    yield Ask(action="iam:GetRole", resource=service_role, refusal=NO_SERVICE_ROLE)
    yield Ask(action="ec2:DescribeSubnets", refusal=NO_SUBNETS)


def _scheduler(action: str, call: Call) -> Iterator[Ask]:
    arn = f"arn:aws:scheduler:{call.region}:{call.caller.account}"
    if call.path[0] == "schedule-groups":
        yield Ask(action=action, resource=f"{arn}:schedule-group/{call.path[1]}")
    elif len(call.path) == 1:
        yield Ask(action=action)
    else:
        group = call.body.get("GroupName") or call.query.get("groupName") or "default"
        yield Ask(action=action, resource=f"{arn}:schedule/{group}/{call.path[1]}")
        role = (call.body.get("Target") or {}).get("RoleArn")
        if role:
            service = {"iam:PassedToService": "scheduler.amazonaws.com"}
            yield Ask(action="iam:PassRole", resource=role, context=service)


def _requested(call: Call) -> dict[str, str]:
    return {f"aws:RequestTag/{key}": str(value) for key, value in (call.body.get("tags") or {}).items()}


def _groups(eks: Eks) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the ARN of every node group with its tags as condition keys."""
    cluster: EksCluster
    for cluster in eks.clusters.all.values():
        for group in eks.nodegroups.groups.of(cluster.key):
            tags = {f"aws:ResourceTag/{key}": value for key, value in group.settings["tags"].items()}
            yield nodegroup_arn(cluster, group), tags
