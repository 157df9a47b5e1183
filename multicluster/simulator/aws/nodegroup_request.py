"""Check a CreateNodegroup request as EKS does, and read what it asks for.

Limits are those of the API model of 2017-11-01 (botocore 1.44.5) and of the EKS user guide.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from multicluster.simulator.aws.errors import AwsError
from multicluster.simulator.aws.identities import ROLE_ARN
from multicluster.simulator.machine_types import AWS_TYPES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from multicluster.simulator.aws.clusters import EksCluster
    from multicluster.simulator.aws.identities import Iam
    from multicluster.simulator.machine_types import MachineType

NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,62}")
SUBNET = re.compile(r"subnet-[0-9a-z]{1,17}")
EFFECTS = {"NO_SCHEDULE": "NoSchedule", "NO_EXECUTE": "NoExecute", "PREFER_NO_SCHEDULE": "PreferNoSchedule"}
CAPACITY_TYPES = ("ON_DEMAND", "SPOT", "CAPACITY_BLOCK")
AMI_TYPES = frozenset(
    [
        "AL2_x86_64",
        "AL2_x86_64_GPU",
        "AL2_ARM_64",
        "CUSTOM",
        "BOTTLEROCKET_ARM_64",
        "BOTTLEROCKET_x86_64",
        "BOTTLEROCKET_ARM_64_FIPS",
        "BOTTLEROCKET_x86_64_FIPS",
        "BOTTLEROCKET_ARM_64_NVIDIA",
        "BOTTLEROCKET_x86_64_NVIDIA",
        "BOTTLEROCKET_ARM_64_NVIDIA_FIPS",
        "BOTTLEROCKET_x86_64_NVIDIA_FIPS",
        "WINDOWS_CORE_2019_x86_64",
        "WINDOWS_FULL_2019_x86_64",
        "WINDOWS_CORE_2022_x86_64",
        "WINDOWS_FULL_2022_x86_64",
        "WINDOWS_CORE_2025_x86_64",
        "WINDOWS_FULL_2025_x86_64",
        "AL2023_x86_64_STANDARD",
        "AL2023_ARM_64_STANDARD",
        "AL2023_x86_64_NEURON",
        "AL2023_x86_64_NVIDIA",
        "AL2023_ARM_64_NVIDIA",
    ]
)
RETIRED_AMI_TYPES = frozenset({"AL2_x86_64", "AL2_x86_64_GPU", "AL2_ARM_64"})  # ended 2025-11-26, last version 1.32
DEFAULT_AMI_TYPE = "AL2023_x86_64_STANDARD"
MAX_TAGS, MAX_TAG_KEY, MAX_TAG_VALUE, MAX_TAINTS, MAX_LABEL, MAX_TYPES = 50, 128, 256, 50, 63, 20


@dataclass(frozen=True, kw_only=True)
class NodegroupRequest:
    """A request that passed."""

    name: str
    machine: MachineType
    instance_types: tuple[str, ...]
    scaling: dict[str, int]
    subnets: tuple[str, ...]
    node_role: str
    ami_type: str
    capacity_type: str
    disk_size: int | None
    labels: dict[str, str]
    taints: list[dict[str, str]]
    tags: dict[str, str]
    body: Mapping[str, Any]


def read_request(body: Mapping[str, Any], cluster: EksCluster, iam: Iam) -> NodegroupRequest:
    """Check the body of CreateNodegroup; raises AwsError as EKS does."""
    for member in ("nodegroupName", "subnets", "nodeRole"):
        if not body.get(member):
            raise invalid(cluster, f"{member} can not be blank.")
    name = body["nodegroupName"]
    if not NAME.fullmatch(name):
        rule = "letters, digits, hyphens and underscores, the first a letter or digit, at most 63"
        raise invalid(cluster, f"The nodegroup name {name} is invalid: {rule}.")
    types = tuple(body.get("instanceTypes") or ("t3.medium",))
    check_types(cluster, types)
    capacity = body.get("capacityType") or "ON_DEMAND"
    if capacity not in CAPACITY_TYPES:
        raise invalid(cluster, f"Invalid capacityType {capacity}. Valid values are {', '.join(CAPACITY_TYPES)}")
    if body.get("launchTemplate") and body.get("diskSize"):
        raise invalid(cluster, "Disk size must be specified within the launch template.")
    return NodegroupRequest(
        name=name,
        machine=AWS_TYPES[types[0]],
        instance_types=types,
        scaling=check_scaling(cluster, body.get("scalingConfig") or {}, {"minSize": 2, "maxSize": 2, "desiredSize": 2}),
        subnets=check_subnets(cluster, body["subnets"]),
        node_role=check_role(cluster, body["nodeRole"], iam),
        ami_type=check_ami(cluster, body.get("amiType") or DEFAULT_AMI_TYPE),
        capacity_type=capacity,
        disk_size=body.get("diskSize") or (None if body.get("launchTemplate") else 20),
        labels=check_labels(cluster, body.get("labels") or {}),
        taints=check_taints(cluster, body.get("taints") or []),
        tags=check_tags(body.get("tags") or {}),
        body=body,
    )


def invalid(cluster: EksCluster, message: str) -> AwsError:
    """Build an InvalidParameterException of a cluster."""
    return AwsError("InvalidParameterException", message, 400, clusterName=cluster.name)


def check_types(cluster: EksCluster, types: tuple[str, ...]) -> None:
    """Refuse instance types that do not exist, or too many."""
    if len(types) > MAX_TYPES:
        raise invalid(cluster, f"Number of instance types must not exceed {MAX_TYPES}.")
    unknown = [name for name in types if name not in AWS_TYPES]
    if unknown:
        raise invalid(cluster, f"The following supplied instance types do not exist: [{', '.join(unknown)}]")


def check_scaling(cluster: EksCluster, given: Mapping[str, int], before: Mapping[str, int]) -> dict[str, int]:
    """Merge a scaling configuration over the one before it and check the order of its sizes."""
    scaling = {name: int(given.get(name, before[name])) for name in ("minSize", "maxSize", "desiredSize")}
    low, high, desired = scaling["minSize"], scaling["maxSize"], scaling["desiredSize"]
    if low < 0 or high < 1 or desired < 0:
        raise invalid(cluster, "minSize and desiredSize must be at least 0, maxSize at least 1")
    if low > high:
        raise invalid(cluster, f"Minimum capacity {low} can't be greater than max size {high}")
    if low > desired:
        raise invalid(cluster, f"Minimum capacity {low} can't be greater than desired size {desired}")
    if desired > high:
        raise invalid(cluster, f"Desired capacity {desired} can't be greater than max size {high}")
    return scaling


def check_subnets(cluster: EksCluster, subnets: list[str]) -> tuple[str, ...]:
    """Refuse what is no subnet id."""
    wrong = [name for name in subnets if not SUBNET.fullmatch(name)]
    if wrong:
        raise invalid(cluster, f"The subnet ID '{wrong[0]}' does not exist (Error Code: InvalidSubnetID.NotFound)")
    return tuple(subnets)


def check_role(cluster: EksCluster, arn: str, iam: Iam) -> str:
    """Refuse a node role that is no role ARN, of another account, or unknown."""
    found = ROLE_ARN.fullmatch(arn)
    if found is None:
        raise invalid(cluster, f"Node role ARN {arn} is invalid.")
    if found[2] != cluster.account:
        raise AwsError("AccessDenied", "Cross-account pass role is not allowed.", 403)
    if arn not in iam.roles:
        raise invalid(cluster, f"The role with name {found[4]} cannot be found.")
    return arn


def check_ami(cluster: EksCluster, ami_type: str) -> str:
    """Refuse AMI types that are unknown or no longer offered for the cluster's version."""
    minor = int(cluster.version.split(".")[1])
    last_with_al2 = 32
    if ami_type not in AMI_TYPES or (ami_type in RETIRED_AMI_TYPES and minor > last_with_al2):
        raise invalid(cluster, f"Requested amiType {ami_type} is not supported for Kubernetes version 1.{minor}")
    return ami_type


def check_labels(cluster: EksCluster, labels: Mapping[str, str]) -> dict[str, str]:
    """Refuse labels Kubernetes would not take."""
    for key, value in labels.items():
        if not key or len(key.rsplit("/", 1)[-1]) > MAX_LABEL or len(value) > MAX_LABEL:
            raise invalid(
                cluster, f"Label {key}={value} is invalid: names and values have at most {MAX_LABEL} characters"
            )
        if key.split("/")[0].endswith(("kubernetes.io", "k8s.io", "eks.amazonaws.com")) and "/" in key:
            raise invalid(cluster, f"Label cannot contain reserved prefixes: {key}")
    return dict(labels)


def check_taints(cluster: EksCluster, taints: list[dict[str, str]]) -> list[dict[str, str]]:
    """Refuse taints with an unknown effect, too long, or too many."""
    if len(taints) > MAX_TAINTS:
        raise invalid(cluster, f"Number of taints must not exceed {MAX_TAINTS}.")
    for taint in taints:
        if taint.get("effect") not in EFFECTS:
            raise invalid(cluster, f"Invalid taint effect {taint.get('effect')}. Valid values are {', '.join(EFFECTS)}")
        if not taint.get("key") or len(taint["key"]) > MAX_LABEL or len(taint.get("value", "")) > MAX_LABEL:
            raise invalid(cluster, f"Taint key and value have at most {MAX_LABEL} characters, and a taint has a key")
    return [dict(taint) for taint in taints]


def check_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Refuse tags over the limits, or in AWS's own name space."""
    if len(tags) > MAX_TAGS:
        raise AwsError("InvalidParameterException", f"Number of tags must not exceed {MAX_TAGS}.")
    for key, value in tags.items():
        if not 1 <= len(key) <= MAX_TAG_KEY or len(value) > MAX_TAG_VALUE or key.lower().startswith("aws:"):
            raise AwsError("InvalidParameterException", f"Invalid tag: {key}={value}")
    return dict(tags)
