"""Answer the node group operations of EKS."""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import TYPE_CHECKING, Any

from multicluster.simulator import device_plugin
from multicluster.simulator.aws.errors import AwsError
from multicluster.simulator.aws.nodegroup_request import EFFECTS, check_scaling, check_taints, invalid, read_request
from multicluster.simulator.fleet import NodeGroup, State

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from multicluster.simulator.aws.clusters import EksCluster
    from multicluster.simulator.aws.identities import Iam
    from multicluster.simulator.aws.nodegroup_request import NodegroupRequest
    from multicluster.simulator.node_groups import NodeGroups
    from multicluster.simulator.wording import Incident

GPU_TAINT_KEY = "nvidia.com/gpu"


class Nodegroups:
    """Translate between EKS's API and the state machine."""

    def __init__(self, groups: NodeGroups, iam: Iam, fate: Callable[[str, NodeGroup], Incident | None]) -> None:
        self.groups, self.iam, self.fate = groups, iam, fate
        self.delete_while_creating = False
        """Whether DeleteNodegroup is accepted in CREATING. AWS documents neither; refusing is the harder case."""
        self.updates: dict[str, dict[str, Any]] = {}

    def create(self, cluster: EksCluster, body: Mapping[str, Any]) -> dict[str, Any]:
        """Begin a node group; the same clientRequestToken and body again answer with the group there is."""
        request = read_request(body, cluster, self.iam)
        digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        there = self.groups.get(cluster.key, request.name)
        if there is not None:
            if body.get("clientRequestToken") and there.settings["request"] == digest:
                return {"nodegroup": describe(cluster, there)}
            message = f"NodeGroup already exists with name {request.name} and cluster name {cluster.name}"
            raise AwsError("ResourceInUseException", message, 409, clusterName=cluster.name, nodegroupName=request.name)
        if len(self.groups.of(cluster.key)) >= cluster.max_groups:
            message = f"Cannot exceed max of {cluster.max_groups} nodegroups per cluster"
            raise AwsError("ResourceLimitExceededException", message, 400, clusterName=cluster.name)
        group = self._group(cluster, request, digest)
        self.groups.create(group)
        return {"nodegroup": describe(cluster, group)}

    def _group(self, cluster: EksCluster, request: NodegroupRequest, digest: str) -> NodeGroup:
        labels = {
            **request.labels,
            "eks.amazonaws.com/nodegroup": request.name,
            "eks.amazonaws.com/capacityType": request.capacity_type,
            "node.kubernetes.io/instance-type": request.machine.name,
            "topology.kubernetes.io/region": cluster.region,
            "kubernetes.io/os": "linux",
            "kubernetes.io/arch": "amd64",
        }
        if request.machine.gpus and "NVIDIA" in request.ami_type:
            labels["nvidia.com/gpu.present"] = "true"  # nodeadm's own label
        taints = [
            {"key": taint["key"], "value": taint.get("value", ""), "effect": EFFECTS[taint["effect"]]}
            for taint in request.taints
        ]
        return NodeGroup(
            key=cluster.key,
            name=request.name,
            nodes=cluster.kubernetes,
            machine=request.machine,
            desired=request.scaling["desiredSize"],
            minimum=request.scaling["minSize"],
            maximum=request.scaling["maxSize"],
            zones=tuple(f"{cluster.region}{'abcdef'[number % 6]}" for number, _ in enumerate(request.subnets)),
            created=self.groups.clock.now(),
            spot=request.capacity_type == "SPOT",
            labels=labels,
            taints=taints,
            advertises_gpus=advertises_gpus(cluster, request),
            settings={
                "eks": request,
                "request": digest,
                "uuid": str(uuid.uuid4()),
                "tags": dict(request.tags),
                "taints": request.taints,
            },
        )

    def find(self, cluster: EksCluster, name: str) -> NodeGroup:
        """Return a group or refuse as EKS does, also when reads are behind writes."""
        group = self.groups.get(cluster.key, name)
        if group is None or self.fate("read", group) is not None:
            message = f"No node group found for name: {name}."
            raise AwsError("ResourceNotFoundException", message, 404, clusterName=cluster.name, nodegroupName=name)
        return group

    def describe(self, cluster: EksCluster, name: str) -> dict[str, Any]:
        """Describe a group."""
        group = self.find(cluster, name)
        view = describe(cluster, group)
        odd = self.fate("status", group)
        if odd is not None:
            view["status"] = odd.code
        return {"nodegroup": view}

    def delete(self, cluster: EksCluster, name: str) -> dict[str, Any]:
        """Begin the end of a group."""
        group = self.find(cluster, name)
        busy = {State.DELETING, State.UPDATING} | (set() if self.delete_while_creating else {State.CREATING})
        if group.state in busy:
            message = f"Nodegroup {name} cannot be deleted as it is currently {group.state}"
            raise AwsError("ResourceInUseException", message, 409, clusterName=cluster.name, nodegroupName=name)
        self.groups.delete(group)
        return {"nodegroup": describe(cluster, group)}

    def update(self, cluster: EksCluster, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Change sizes, labels or taints of a group that is active."""
        group = self.find(cluster, name)
        if group.state not in {State.ACTIVE, State.DEGRADED}:
            message = "Nodegroup cannot be updated as it is currently not in Active State"
            raise AwsError("ResourceInUseException", message, 409, clusterName=cluster.name, nodegroupName=name)
        if not any(
            body.get(member) for member in ("scalingConfig", "labels", "taints", "updateConfig", "nodeRepairConfig")
        ):
            raise invalid(cluster, "At least one of labels, taints, scalingConfig or updateConfig must be given")
        before = {"minSize": group.minimum, "maxSize": group.maximum, "desiredSize": group.desired}
        scaling = check_scaling(cluster, body.get("scalingConfig") or {}, before)
        change_labels(group, body.get("labels") or {})
        change_taints(cluster, group, body.get("taints") or {})
        group.minimum, group.maximum = scaling["minSize"], scaling["maxSize"]
        self.groups.resize(group, scaling["desiredSize"])
        return {"update": self._update(group, body)}

    def _update(self, group: NodeGroup, body: Mapping[str, Any]) -> dict[str, Any]:
        params = [
            {"type": name[0].upper() + name[1:], "value": str(value)}
            for name, value in (body.get("scalingConfig") or {}).items()
        ]
        id_ = str(uuid.uuid4())
        created = self.groups.clock.now().timestamp()
        view = {
            "id": id_,
            "status": "InProgress",
            "type": "ConfigUpdate",
            "params": params,
            "createdAt": created,
            "errors": [],
        }
        self.updates[id_] = {"group": group, "view": view}
        return view

    def describe_update(self, cluster: EksCluster, name: str, id_: str) -> dict[str, Any]:
        """Say how an update stands."""
        group = self.find(cluster, name)
        kept = self.updates.get(id_)
        if kept is None or kept["group"] is not group:
            raise AwsError("ResourceNotFoundException", f"No update found for ID: {id_}", 404)
        return {"update": {**kept["view"], "status": "InProgress" if group.state == State.UPDATING else "Successful"}}


def advertises_gpus(cluster: EksCluster, request: NodegroupRequest) -> bool:
    """Tell whether a device plugin will ever run on the group's nodes.

    Bottlerocket's NVIDIA images bring one; on AL2023's it is a DaemonSet that tolerates only ``nvidia.com/gpu``
    (NVIDIA's static manifest); images without NVIDIA in their name have no driver.
    """
    if "NVIDIA" not in request.ami_type:
        return False
    if request.ami_type.startswith("BOTTLEROCKET"):
        return True
    strange = [
        taint for taint in request.taints if taint["key"] != GPU_TAINT_KEY and taint["effect"] != "PREFER_NO_SCHEDULE"
    ]
    return device_plugin.installed(cluster.kubernetes) and not strange


def change_labels(group: NodeGroup, change: Mapping[str, Any]) -> None:
    """Apply addOrUpdateLabels and removeLabels; nodes that are there keep theirs until they are replaced."""
    group.labels.update(change.get("addOrUpdateLabels") or {})
    for key in change.get("removeLabels") or []:
        group.labels.pop(key, None)


def change_taints(cluster: EksCluster, group: NodeGroup, change: Mapping[str, Any]) -> None:
    """Apply addOrUpdateTaints and removeTaints to the group's future nodes."""
    added = check_taints(cluster, change.get("addOrUpdateTaints") or [])
    removed = {(taint["key"], taint["effect"]) for taint in (*added, *(change.get("removeTaints") or []))}
    kept = [taint for taint in group.settings["taints"] if (taint["key"], taint["effect"]) not in removed]
    group.settings["taints"] = [*kept, *added]
    group.taints = [
        {"key": taint["key"], "value": taint.get("value", ""), "effect": EFFECTS[taint["effect"]]}
        for taint in group.settings["taints"]
    ]


def asg_name(group: NodeGroup) -> str:
    """Name the Auto Scaling group behind a node group, as EKS names it."""
    return f"eks-{group.name}-{group.settings['uuid']}"


def nodegroup_arn(cluster: EksCluster, group: NodeGroup) -> str:
    """Name a node group for tags and policies."""
    return f"{cluster.arn.replace(':cluster/', ':nodegroup/')}/{group.name}/{group.settings['uuid']}"


def describe(cluster: EksCluster, group: NodeGroup) -> dict[str, Any]:
    """Write a node group as EKS does."""
    request: NodegroupRequest = group.settings["eks"]
    issues = [
        {"code": problem.code, "message": problem.message, "resourceIds": list(problem.resource_ids)}
        for problem in group.problems
    ]
    own = (
        "eks.amazonaws.com/",
        "node.kubernetes.io/",
        "topology.kubernetes.io/",
        "kubernetes.io/",
        "nvidia.com/gpu.present",
    )
    view = {
        "nodegroupName": group.name,
        "nodegroupArn": nodegroup_arn(cluster, group),
        "clusterName": cluster.name,
        "version": ".".join(cluster.version.split(".")[:2]),
        "releaseVersion": f"{cluster.version}-20261101",
        "createdAt": group.created.timestamp(),
        "modifiedAt": (group.modified or group.created).timestamp(),
        "status": str(group.state),
        "capacityType": request.capacity_type,
        "scalingConfig": {"minSize": group.minimum, "maxSize": group.maximum, "desiredSize": group.desired},
        "instanceTypes": list(request.instance_types),
        "subnets": list(request.subnets),
        "amiType": request.ami_type,
        "nodeRole": request.node_role,
        "labels": {key: value for key, value in group.labels.items() if not key.startswith(own)},
        "taints": group.settings["taints"],
        "resources": {"autoScalingGroups": [{"name": asg_name(group)}]} if group.launching else {},
        "diskSize": request.disk_size,
        "health": {"issues": issues},
        "updateConfig": request.body.get("updateConfig") or {"maxUnavailable": 1},
        "tags": dict(group.settings["tags"]),
    }
    for member in ("launchTemplate", "remoteAccess", "nodeRepairConfig"):
        if request.body.get(member):
            view[member] = request.body[member]
    return view
