"""What no policy of infra/iam/aws may allow, each beside what one of them allows, and one fact away from it."""

from __future__ import annotations

from multicluster.simulator.aws.policies import Ask

EKS = "arn:aws:eks:us-east-1:111122223333"
IAM = "arn:aws:iam::111122223333:role"
SCHEDULES = "arn:aws:scheduler:us-east-1:111122223333:schedule"
OURS = {"aws:ResourceTag/multicluster-managed-by": "airflow-multicluster"}
LEASE = {
    "aws:RequestTag/multicluster-managed-by": "airflow-multicluster",
    "aws:RequestTag/multicluster-owner": "a1b2c3",
    "aws:RequestTag/multicluster-expires": "1800000000",
}
TO_EKS, TO_EC2 = ({"iam:PassedToService": f"{service}.amazonaws.com"} for service in ("eks", "ec2"))
TO_SCHEDULER = {"iam:PassedToService": "scheduler.amazonaws.com"}


def lease_without(tag: str) -> dict[str, str]:
    """Return the tags of a lease but for one."""
    return {key: value for key, value in LEASE.items() if not key.endswith(tag)}


FORBIDDEN = {
    "look at another cluster": Ask(action="eks:DescribeCluster", resource=f"{EKS}:cluster/other"),
    "look at a node group of another cluster": Ask(
        action="eks:DescribeNodegroup", resource=f"{EKS}:nodegroup/other/mc-train/1"
    ),
    "make a node group in another cluster": Ask(
        action="eks:CreateNodegroup", resource=f"{EKS}:cluster/other", context=LEASE
    ),
    "make a node group that does not say who manages it": Ask(
        action="eks:CreateNodegroup", resource=f"{EKS}:cluster/gpu", context=lease_without("managed-by")
    ),
    "make a node group without an owner": Ask(
        action="eks:CreateNodegroup", resource=f"{EKS}:cluster/gpu", context=lease_without("owner")
    ),
    "make a node group whose lease never ends": Ask(
        action="eks:CreateNodegroup", resource=f"{EKS}:cluster/gpu", context=lease_without("expires")
    ),
    "put the lease's tags on somebody else's node group": Ask(
        action="eks:TagResource", resource=f"{EKS}:nodegroup/gpu/inference/1", context=LEASE
    ),
    "put tags on a node group that are no lease": Ask(
        action="eks:TagResource",
        resource=f"{EKS}:nodegroup/gpu/mc-train/1",
        context={"aws:RequestTag/cost-centre": "1"},
    ),
    "delete a node group without a lease": Ask(
        action="eks:DeleteNodegroup", resource=f"{EKS}:nodegroup/gpu/mc-train/1"
    ),
    "delete a node group that a person keeps": Ask(
        action="eks:DeleteNodegroup",
        resource=f"{EKS}:nodegroup/gpu/mc-train/1",
        context={**OURS, "aws:ResourceTag/multicluster-keep": "true"},
    ),
    "delete a node group of another cluster": Ask(
        action="eks:DeleteNodegroup", resource=f"{EKS}:nodegroup/other/mc-train/1", context=OURS
    ),
    "delete a node group by another name": Ask(
        action="eks:DeleteNodegroup", resource=f"{EKS}:nodegroup/gpu/inference/1", context=OURS
    ),
    "resize a node group": Ask(
        action="eks:UpdateNodegroupConfig", resource=f"{EKS}:nodegroup/gpu/mc-train/1", context=OURS
    ),
    "give nodes another role": Ask(action="iam:PassRole", resource=f"{IAM}/admin", context=TO_EKS),
    "give the nodes' role to EC2": Ask(action="iam:PassRole", resource=f"{IAM}/gpu-node", context=TO_EC2),
    "give a schedule another role": Ask(action="iam:PassRole", resource=f"{IAM}/admin", context=TO_SCHEDULER),
    "give the dead man's role to EC2": Ask(action="iam:PassRole", resource=f"{IAM}/deadman", context=TO_EC2),
    "read another role": Ask(action="iam:GetRole", resource=f"{IAM}/admin"),
    "make schedules in another group": Ask(action="scheduler:CreateSchedule", resource=f"{SCHEDULES}/default/mc-train"),
    "make a schedule by another name": Ask(
        action="scheduler:CreateSchedule", resource=f"{SCHEDULES}/multicluster/nightly"
    ),
    "delete a schedule of another group": Ask(
        action="scheduler:DeleteSchedule", resource=f"{SCHEDULES}/default/mc-train"
    ),
    "assume another role": Ask(action="sts:AssumeRole", resource=f"{IAM}/admin"),
}
