"""Say what a person does about a node group that ended CREATE_FAILED or DELETE_FAILED: by its health code."""

from __future__ import annotations

AGAIN = "then delete the pool again"

REMEDIES: dict[str, str] = {
    # what EKS stumbled over while deleting; machines may be left
    "AutoScalingGroupInvalidConfiguration": "resume the suspended processes of its Auto Scaling group, such as "
    f"ReplaceUnhealthy (aws autoscaling resume-processes --auto-scaling-group-name NAME), {AGAIN}",
    "AutoScalingGroupNotFound": f"somebody deleted its Auto Scaling group; look for its instances, {AGAIN}",
    "Ec2SecurityGroupDeletionFailure": "find what uses the security group (aws ec2 describe-network-interfaces "
    f"--filters Name=group-id,Values=sg-...), detach or delete it, {AGAIN}",
    "Ec2SecurityGroupNotFound": f"somebody deleted a security group of the cluster; restore it, {AGAIN}",
    "Ec2LaunchTemplateDeletionFailure": f"delete the launch template that EKS made (eks-...) by hand, {AGAIN}",
    "IamNodeRoleNotFound": f"create the nodes' role anew under the same name, {AGAIN}",
    "IamInstanceProfileNotFound": f"create the nodes' role anew under the same name, {AGAIN}",
    "AccessDenied": "let EKS into the cluster again (the ClusterRole eks:node-manager and its binding, a valid "
    f"aws-auth ConfigMap), {AGAIN}",
    "ClusterUnreachable": f"EKS cannot reach the API server; see whether the cluster is well, {AGAIN}",
    "NodeTerminationFailure": f"terminate the instances that it names, {AGAIN}",
    "PodEvictionFailure": f"delete the pods that cannot be evicted, {AGAIN}",
    "InternalFailure": "delete the pool again; it is AWS's own failure",
    "Unknown": "delete the pool again; should it fail again, ask AWS's support",
    # why a group was never made; the pool is deleted, and made again by the next try
    "NodeCreationFailure": "machines came and did not join: check the access entry of the nodes' role, its policies "
    "(AmazonEKSWorkerNodePolicy, the CNI's, ECR's), and the way from the subnets to the API server",
    "Ec2SubnetNotFound": "correct nodePools.eks.subnets in the registry",
    "Ec2SubnetInvalidConfiguration": "let the subnet give out public addresses, or choose private ones with a way out",
    "Ec2SubnetMissingIpv6Assignment": "let the subnet give out IPv6 addresses",
    "InsufficientFreeAddresses": "name subnets with more free addresses in nodePools.eks.subnets",
    "Ec2LaunchTemplateNotFound": "correct nodePools.eks.launchTemplate in the registry",
    "SourceEc2LaunchTemplateNotFound": "correct nodePools.eks.launchTemplate in the registry",
    "Ec2LaunchTemplateInvalidConfiguration": "correct the launch template of nodePools.eks.launchTemplate",
    "AmiIdNotFound": "correct amiType of the profile, or the image of the launch template",
    "Ec2InstanceTypeDoesNotExist": "correct instanceTypes of the profile: the region does not have them",
    "KubernetesLabelInvalid": "correct labels of the profile",
    "InstanceLimitExceeded": "raise the quota of EC2, or choose other instanceTypes",
    "LimitExceeded": "raise the quota that it names",
    "IamLimitExceeded": "delete unused instance profiles, or raise IAM's quota",
    "AutoScalingGroupOptInRequired": "let the account use Auto Scaling in this region",
}


def remedy(code: str) -> str:
    """Return the next step for a person, as the end of a sentence; empty for a code nobody has met."""
    return REMEDIES.get(code, "")
