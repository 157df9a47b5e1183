"""Say what a person can do about a pool that failed.

Causes and remedies: AWS's and Google's manuals, eksctl's issues.
"""

from __future__ import annotations

from multicluster.node_pools.pool import NodePool
from multicluster.node_pools.reaping import UNDELETED

UNDOING = {
    "Ec2SecurityGroupDeletionFailure": "a network interface still uses the group's security group: detach or delete "
    "the interface (EC2, network interfaces, by that group)",
    "AutoScalingGroupInvalidConfiguration": "resume the suspended processes of its Auto Scaling group "
    "(aws autoscaling resume-processes)",
    "IamNodeRoleNotFound": "make the node role again under the same name",
    "AccessDenied": "give the EKS service its rights back: the ClusterRole eks:node-manager, and a valid aws-auth",
    "ClusterUnreachable": "let EKS reach the cluster's API server again",
}
"""What keeps a pool from being deleted, by EKS' code; afterwards the reaper asks again by itself."""
MAKING = {
    "NodeCreationFailure": "see why nodes do not join: node role, subnets' way to the API server, aws-auth or access "
    "entries",
    "IamNodeRoleNotFound": "nodePools.eks.nodeRoleArn names no role",
    "AccessDenied": "see whether the ClusterRole eks:node-manager and the node role's rights are as EKS made them",
    "VcpuLimitExceeded": "ask AWS for a higher vCPU quota of this family, or take another family or region",
    "MaxSpotInstanceCountExceeded": "ask AWS for a higher Spot quota, or take on-demand",
    "GCE_QUOTA_EXCEEDED": "ask Google for a higher GPU quota (the region's, and GPUS_ALL_REGIONS)",
    "InsufficientInstanceCapacity": "take another instance type, zone or region; the cloud has none of these now",
    "GCE_STOCKOUT": "take another zone or region; the cloud has none of these now",
}
"""What kept a pool from being made, by the cloud's code."""


def next_step(pool: NodePool) -> str:
    """Return the cloud's words for why *pool* failed, and what to do where the cause is known."""
    undeleted = pool.status == UNDELETED
    known = UNDOING if undeleted else MAKING
    told = [_told(problem.code, problem.message, known.get(problem.code, "")) for problem in pool.problems]
    after = "it is asked to be deleted again" if undeleted else "its bracket, or the reaper, deletes it"
    return "; ".join([f"{pool.status}: {' | '.join(told) or 'the cloud does not say why'}", after])


def _told(code: str, message: str, remedy: str) -> str:
    return f"{code}: {message}{f' Next: {remedy}' if remedy else ''}"
