"""Write a CreateNodegroup request (EKS API 2017-11-01) for a node pool."""

from __future__ import annotations

import re
from typing import Any

from multicluster.errors import NodePoolRefusedError
from multicluster.kinds.eks.node_pool_options import EksNodePoolOptions
from multicluster.node_pools import naming
from multicluster.node_pools.lease import Lease
from multicluster.node_pools.pool import NodePoolSpec
from multicluster.node_pools.profile import NodePoolProfile, Taint

ARM = re.compile(r"^[a-z]+\d+[a-z-]*g[a-z]*\d*\.")
"""Instance types with a g behind their generation: g5g.xlarge, m7gd.large, p6e-gb200.36xlarge; not g6 or gr6."""
ENDED = frozenset({"AL2_x86_64", "AL2_x86_64_GPU", "AL2_ARM_64"})
CAPACITY_TYPES = {"on-demand": "ON_DEMAND", "spot": "SPOT", "capacity-block": "CAPACITY_BLOCK"}
NOT_IN_TAGS = re.compile(r"[^\w +=.:/@-]")
"""AWS takes letters, digits, spaces and _ . : / = + - @ in values of tags."""
TAG_LENGTH = 256
EFFECTS = {"NoSchedule": "NO_SCHEDULE", "NoExecute": "NO_EXECUTE", "PreferNoSchedule": "PREFER_NO_SCHEDULE"}


def nodegroup_request(
    cluster_name: str, spec: NodePoolSpec, lease: Lease, options: EksNodePoolOptions
) -> dict[str, Any]:
    """Return the arguments of ``create_nodegroup``. Raises NodePoolRefusedError for what EKS cannot do.

    minSize is 0, desired and max are *size*: whoever comes last (a cluster autoscaler, the dead-man switch) may always
    scale an idle pool in, and nobody may scale it out. The lease's tags win over the registry's.
    """
    profile = spec.profile
    request: dict[str, Any] = {
        "clusterName": cluster_name,
        "nodegroupName": spec.name,
        "scalingConfig": {"minSize": 0, "maxSize": spec.size, "desiredSize": spec.size},
        "subnets": list(options.subnets),
        "nodeRole": options.node_role_arn,
        "capacityType": _capacity_type(profile),
        "labels": dict(profile.labels),
        "taints": [_taint(taint) for taint in profile.effective_taints()],
        "tags": {**options.tags, **names_of(lease), **lease.to_labels()},
        "clientRequestToken": naming.request_token(lease.owner, spec.name),
        "amiType": ami_type(profile),
    }
    template = options.launch_template
    if template:
        known = {"id": template.id} if template.id else {"name": template.name}
        request["launchTemplate"] = {**known, "version": template.version}
    else:
        request["diskSize"] = profile.disk_gib
    if profile.capacity_type != "capacity-block":
        request["instanceTypes"] = list(profile.instance_types)
    elif not template:
        raise NodePoolRefusedError(
            f"node pool {spec.name!r}: a capacity block is named in a launch template; set nodePools.eks.launchTemplate"
        )
    return request


def ami_type(profile: NodePoolProfile) -> str:
    """Return the AMI type: the profile's own word, or what its GPU and instance types ask for.

    Unknown words are passed on: EKS adds types faster than anybody can list them. Amazon Linux 2 is refused.
    """
    if profile.ami_type in ENDED:
        raise NodePoolRefusedError(
            f"amiType {profile.ami_type}: EKS published its last Amazon Linux 2 images on 2025-11-26, for Kubernetes "
            "1.32; leave amiType out to get AL2023"
        )
    if profile.ami_type:
        return profile.ami_type
    arm = {bool(ARM.match(kind)) for kind in profile.instance_types}
    if len(arm) > 1:
        raise NodePoolRefusedError(
            f"instanceTypes {', '.join(profile.instance_types)} mix ARM and x86; one image cannot boot both"
        )
    if profile.gpu and profile.gpu.resource.startswith("aws.amazon.com/neuron"):
        return "AL2023_x86_64_NEURON"
    return f"AL2023_{'ARM_64' if True in arm else 'x86_64'}_{'NVIDIA' if profile.gpu else 'STANDARD'}"


def names_of(lease: Lease) -> dict[str, str]:
    """Return what the pool is for in words that people read in AWS's console; code reads the lease's own tags."""
    if lease.origin is None:
        return {}
    names = {"dag": lease.origin.dag_id, "run": lease.origin.run_id, "group": lease.origin.group_id}
    return {f"multicluster-{what}": NOT_IN_TAGS.sub("_", name)[:TAG_LENGTH] for what, name in names.items()}


def _capacity_type(profile: NodePoolProfile) -> str:
    try:
        return CAPACITY_TYPES[profile.capacity_type]
    except KeyError:
        known = ", ".join(CAPACITY_TYPES)
        raise NodePoolRefusedError(f"capacityType {profile.capacity_type} is not EKS's; use one of {known}") from None


def _taint(taint: Taint) -> dict[str, str]:
    written = {"key": taint.key, "effect": EFFECTS[taint.effect]}
    return {**written, "value": taint.value} if taint.value else written
