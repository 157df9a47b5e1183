"""Read why a node group gets no nodes: from its health, and earlier from its Auto Scaling activities.

A group without capacity stays CREATING for 33 to 38 minutes with empty health issues; the reason stands in
autoscaling:DescribeScalingActivities from the first failed launch on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from multicluster.kinds.eks.node_pool_remedies import remedy
from multicluster.node_pools.pool import Problem

CAPACITY = frozenset(
    {
        "InsufficientInstanceCapacity",
        "InsufficientHostCapacity",
        "InsufficientReservedInstanceCapacity",
        "InsufficientCapacity",
        "UnfulfillableCapacity",
        "ReservationCapacityExceeded",
        "SpotMaxPriceTooLow",
        "InsufficientFreeAddresses",
        "InsufficientFreeAddressesInSubnet",
    }
)
FATAL = frozenset(
    {
        # quotas: only a person, or another pool's end, can help
        "VcpuLimitExceeded",
        "MaxSpotInstanceCountExceeded",
        "InstanceLimitExceeded",
        "LimitExceeded",
        # rights
        "UnauthorizedOperation",
        "AccessDenied",
        "IamNodeRoleNotFound",
        "IamInstanceProfileNotFound",
        "IamLimitExceeded",
        # the request
        "InvalidParameterCombination",
        "InvalidParameterValue",
        "Unsupported",
        "UnsupportedOperation",
        "OptInRequired",
        "PendingVerification",
        "AmiIdNotFound",
        "Ec2InstanceTypeDoesNotExist",
        "AutoScalingGroupNotFound",
        "AutoScalingGroupInvalidConfiguration",
        "AutoScalingGroupOptInRequired",
        "SourceEc2LaunchTemplateNotFound",
        "KubernetesLabelInvalid",
        "NodeCreationFailure",
    }
)
FATAL_PREFIXES = (
    "Client.",
    "Ec2LaunchTemplate",
    "Ec2SecurityGroup",
    "Ec2Subnet",
    "InvalidAMI",
    "InvalidBlockDevice",
    "InvalidGroup",
    "InvalidIamInstanceProfile",
    "InvalidKeyPair",
    "InvalidLaunchTemplate",
    "InvalidSubnet",
)
CODE = re.compile(r"(?:^|[\s(])(Client\.[A-Z][A-Za-z]+|[A-Z][A-Za-z]*[a-z][A-Za-z]*(?:\.[A-Z][A-Za-z]+)?(?= - ))")
"""*Client.InternalError: Client error on launch* (a key of KMS that the service may not use), or
*Could not launch On-Demand Instances. InsufficientInstanceCapacity - We currently do not have ...*"""
WORDS = {
    "sufficient": "InsufficientInstanceCapacity",
    "vCPU": "VcpuLimitExceeded",
    "free addresses": "InsufficientFreeAddresses",
    "not authorized": "UnauthorizedOperation",
    "image id": "InvalidAMIID",
    "launch template": "InvalidLaunchTemplate",
    "Free Tier": "InvalidParameterCombination",
}
"""What messages without a code say."""


def problem(code: str, message: str, *, times: int = 1) -> Problem:
    """Judge a code of EKS, EC2 or Auto Scaling; an unknown one is reported, and is no reason to give up."""
    fatal = code in FATAL or code.startswith(FATAL_PREFIXES)
    return Problem(code=code, message=message, capacity=code in CAPACITY, fatal=fatal, times=times)


def health_problems(issues: Iterable[Mapping[str, Any]], *, failed: bool = False) -> tuple[Problem, ...]:
    """Read a node group's health issues; one that wraps a launch failure is judged by what it wraps.

    Those of a group that *failed* end with what a person can do.
    """
    return tuple(_health_problem(issue, failed=failed) for issue in issues)


def launch_problems(activities: Iterable[Mapping[str, Any]]) -> tuple[Problem, ...]:
    """Read scaling activities, newest first: the launches that failed since the last one that worked, by code."""
    found: dict[str, Problem] = {}
    for activity in activities:
        if not str(activity.get("Description", "")).startswith("Launching"):
            continue
        status = activity.get("StatusCode")
        if status == "Successful":
            break
        if status in {"Failed", "Cancelled"}:
            message = str(activity.get("StatusMessage") or activity.get("Description"))
            code = code_of(message)
            newest = found.get(code)
            times = newest.times + 1 if newest else 1
            found[code] = problem(code, newest.message if newest else message, times=times)
    return tuple(found.values())


def code_of(message: str) -> str:
    """Return the code that a status message names or describes; LaunchFailed when it does neither."""
    named = CODE.search(message)
    if named:
        return named[1]
    known = next((code for code in sorted(CAPACITY | FATAL, key=len, reverse=True) if code in message), "")
    return known or next((code for words, code in WORDS.items() if words in message), "LaunchFailed")


def _health_problem(issue: Mapping[str, Any], *, failed: bool) -> Problem:
    code, message = str(issue.get("code", "Unknown")), str(issue.get("message", ""))
    inner = code_of(message) if code == "AsgInstanceLaunchFailures" else code
    judged = problem(inner if inner != "LaunchFailed" else code, message)
    resources = ", ".join(issue.get("resourceIds") or ())
    text = f"{message} ({resources})" if resources and resources not in message else message
    step = remedy(code) if failed else ""
    text = f"{text.rstrip('.')}. Next: {step}" if step else text
    return Problem(code=code, message=text, capacity=judged.capacity, fatal=judged.fatal)
