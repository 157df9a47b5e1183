"""Turn what EksCreateNodegroupOperator was given into what the registry says about node pools."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from multicluster.migration.arguments import Arguments
from multicluster.migration.finding import UntranslatableError
from multicluster.migration.places import FILL_IN

_CAPACITY = {"ON_DEMAND": "on-demand", "SPOT": "spot", "CAPACITY_BLOCK": "capacity-block"}
_EFFECTS = {"NO_SCHEDULE": "NoSchedule", "NO_EXECUTE": "NoExecute", "PREFER_NO_SCHEDULE": "PreferNoSchedule"}
_GPU_FAMILY = re.compile(r"^(g\d|gr\d|p\d)")
_MANY = {"12xlarge": 4, "24xlarge": 4, "48xlarge": 8, "metal": 8}
"""GPUs of a machine of families g4dn, g5 and g6 by its size, where it has more than one."""
_P_SIZES = {"p3.2xlarge": 1, "p3.8xlarge": 4, "p3.16xlarge": 8, "p2.xlarge": 1, "p2.8xlarge": 8, "p2.16xlarge": 16}
DEAD_MAN = "give nodePools.eks a deadMan with the schedulerRoleArn (infra/iam/README.md), or write deadMan: off"
_EKS_DISK, _EKS_TYPE, _EKS_NODES = 20, "t3.medium", 2
"""What EKS takes when CreateNodegroup says nothing (its API reference)."""
_READ = frozenset(
    {
        "scalingConfig",
        "diskSize",
        "instanceTypes",
        "amiType",
        "capacityType",
        "labels",
        "taints",
        "tags",
        "launchTemplate",
    }
)


@dataclass(frozen=True, kw_only=True)
class NodeGroup:
    """A node group as the registry says it; ``told`` is (why, do) pairs."""

    profile: Mapping[str, Any]
    pools: Mapping[str, Any]
    nodes: int
    told: tuple[tuple[str, str], ...]


def node_group(create: Arguments) -> NodeGroup:
    """Return the node group; raises UntranslatableError for one whose shape is known at run time only."""
    try:
        return _node_group(create, create.value("create_nodegroup_kwargs") or {})
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise UntranslatableError(
            f"create_nodegroup_kwargs is not what EKS takes ({type(error).__name__}: {error})",
            "mend it, and run this command again",
        ) from error


def _node_group(create: Arguments, asked: Mapping[str, Any]) -> NodeGroup:
    told = [
        (f"create_nodegroup_kwargs says {key}, for which a profile has no word", "see whether it is needed")
        for key in sorted(asked.keys() - _READ)
    ]
    types = asked.get("instanceTypes") or [_EKS_TYPE]
    profile: dict[str, Any] = {"instanceTypes": types}
    if gpus := _gpus(types[0]):
        profile["gpu"] = {"perNode": gpus}
        told.append((f"{types[0]} seems to have {gpus} GPU(s)", "mend gpu.perNode of the profile if not"))
    if (capacity := asked.get("capacityType", "ON_DEMAND")) != "ON_DEMAND":
        profile["capacityType"] = _CAPACITY.get(capacity, capacity)
    profile["diskGiB"] = asked.get("diskSize", _EKS_DISK)
    profile |= {new: asked[old] for new, old in (("amiType", "amiType"), ("labels", "labels")) if asked.get(old)}
    if asked.get("taints"):
        profile["taints"] = [_taint(taint) for taint in asked["taints"]]
    pools = _pools(create, asked, told)
    return NodeGroup(profile=profile, pools=pools, nodes=_nodes(asked, told), told=tuple(told))


def _pools(create: Arguments, asked: Mapping[str, Any], told: list[tuple[str, str]]) -> dict[str, Any]:
    pools: dict[str, Any] = {
        "nodeRoleArn": _or_fill_in(create, "nodegroup_role_arn", told),
        "subnets": _or_fill_in(create, "nodegroup_subnets", told),
    }
    told.append(("no group is made before its dead-man switch is decided on", DEAD_MAN))
    if isinstance(pools["subnets"], str):
        pools["subnets"] = [pools["subnets"]]
    if asked.get("tags"):
        pools["tags"] = asked["tags"]
    if asked.get("launchTemplate"):
        pools["launchTemplate"] = asked["launchTemplate"]
    return pools


def _or_fill_in(create: Arguments, name: str, told: list[tuple[str, str]]) -> Any:
    try:
        value = create.value(name)
    except UntranslatableError as error:
        told.append((error.why, f"write it into the registry (now {FILL_IN})"))
        return FILL_IN
    return value or FILL_IN


def _nodes(asked: Mapping[str, Any], told: list[tuple[str, str]]) -> int:
    scaling = asked.get("scalingConfig") or {}
    nodes = int(scaling.get("desiredSize", scaling.get("minSize", _EKS_NODES)))
    if not nodes:
        told.append(("the group began with no node", "see how many nodes the pods need: nodes= is now 1"))
    elif not scaling:
        told.append((f"the group had EKS's own size, {nodes} nodes", "see how many nodes the pods need"))
    elif scaling.get("maxSize", nodes) != nodes:
        told.append(
            (f"the group could grow to {scaling['maxSize']} nodes", f"a bracket has a fixed size: nodes={nodes}")
        )
    return nodes or 1


def _gpus(instance_type: str) -> int:
    family, _, size = instance_type.partition(".")
    if not _GPU_FAMILY.match(family):
        return 0
    if family[0] == "p":
        return _P_SIZES.get(instance_type, 8)
    return _MANY.get(size, 1)


def _taint(taint: Mapping[str, Any]) -> dict[str, Any]:
    effect = taint.get("effect", "NO_SCHEDULE")
    return {"key": taint["key"], "value": taint.get("value", ""), "effect": _EFFECTS.get(effect, effect)}
