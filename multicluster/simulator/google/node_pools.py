"""Answer the node pool methods of container v1."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, Any

from multicluster.simulator.fleet import NodeGroup, Problem, State
from multicluster.simulator.google.autoscaler import autoscale
from multicluster.simulator.google.errors import GoogleError
from multicluster.simulator.google.pool_request import EFFECTS, PoolRequest, read_request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from multicluster.simulator.fleet import Instance
    from multicluster.simulator.google.clusters import GkeCluster
    from multicluster.simulator.google.operations import Operation, Operations
    from multicluster.simulator.node_groups import NodeGroups
    from multicluster.simulator.wording import Incident

STATUS = {
    State.CREATING: "PROVISIONING", State.ACTIVE: "RUNNING", State.UPDATING: "RECONCILING", State.DELETING: "STOPPING",
    State.DEGRADED: "RUNNING_WITH_ERROR", State.CREATE_FAILED: "ERROR", State.DELETE_FAILED: "ERROR",
}  # fmt: skip
CONDITIONS = {
    "InsufficientInstanceCapacity": "GCE_STOCKOUT",
    "UnfulfillableCapacity": "GCE_STOCKOUT",
    "VcpuLimitExceeded": "GCE_QUOTA_EXCEEDED",
}
SENTENCES = {
    "GCE_STOCKOUT": "The zone 'projects/{project}/zones/{zone}' does not have enough resources available to fulfill "
    "the request.  Try a different zone, or try again later. (ZONE_RESOURCE_POOL_EXHAUSTED)",
    "GCE_QUOTA_EXCEEDED": "Instance creation failed: Quota 'NVIDIA_GPUS' exceeded.  Limit: 0.0 in region {region}.",
}
CONDITION_CODES = frozenset(
    [
        "GCE_STOCKOUT",
        "GKE_SERVICE_ACCOUNT_DELETED",
        "GCE_QUOTA_EXCEEDED",
        "SET_BY_OPERATOR",
        "CLOUD_KMS_KEY_ERROR",
        "CA_EXPIRING",
        "NODE_SERVICE_ACCOUNT_MISSING_PERMISSIONS",
        "CLOUD_KMS_KEY_DESTROYED",
    ]
)
CANONICAL = {"GCE_STOCKOUT": "RESOURCE_EXHAUSTED", "GCE_QUOTA_EXCEEDED": "RESOURCE_EXHAUSTED"}
RESOURCE_EXHAUSTED, INTERNAL = 8, 13  # google.rpc.Code


class NodePools:
    """Translate between GKE's API and the state machine."""

    def __init__(
        self, groups: NodeGroups, operations: Operations, fate: Callable[[str, NodeGroup], Incident | None]
    ) -> None:
        self.groups, self.operations, self.fate = groups, operations, fate
        self.compute_url = ""

    def create(self, cluster: GkeCluster, body: Mapping[str, Any]) -> Operation:
        """Begin a pool; GKE knows no request id, so a second create is 409."""
        request = read_request(body, cluster)
        if self.groups.get(cluster.key, request.name) is not None:
            raise GoogleError(409, f"Already exists: {cluster.path}/nodePools/{request.name}.")
        self.operations.check_free(cluster)
        group = self._group(cluster, request)
        self.groups.create(group)
        if request.autoscaling is not None:
            self.groups.keep(group, autoscale(self.groups, group, cluster.kubernetes))
        if request.max_run_seconds is not None:
            self.groups.keep(group, self._end_of_run(group, request.max_run_seconds))
        return self._operate(cluster, "CREATE_NODE_POOL", group, self._settled(group))

    def _group(self, cluster: GkeCluster, request: PoolRequest) -> NodeGroup:
        config, machine = request.config, request.machine
        labels = {
            **(config.get("labels") or {}),
            "cloud.google.com/gke-nodepool": request.name,
            "cloud.google.com/machine-family": machine.name.split("-")[0],
            "node.kubernetes.io/instance-type": machine.name,
            "topology.kubernetes.io/region": "-".join(cluster.location.split("-")[:2]),
            "kubernetes.io/os": "linux",
            "kubernetes.io/arch": "amd64",
        }
        if machine.accelerator:
            labels |= {
                "cloud.google.com/gke-accelerator": machine.accelerator,
                "cloud.google.com/gke-accelerator-count": str(machine.gpus),
            }
        if config.get("spot"):
            labels["cloud.google.com/gke-spot"] = "true"
        scaling = request.autoscaling
        taints = [
            {"key": t["key"], "value": t.get("value", ""), "effect": EFFECTS[t["effect"]]} for t in config["taints"]
        ]
        return NodeGroup(
            key=cluster.key,
            name=request.name,
            nodes=cluster.kubernetes,
            machine=machine,
            desired=request.nodes,
            minimum=scaling.minimum if scaling else request.nodes,
            maximum=scaling.maximum if scaling else request.nodes,
            zones=request.zones,
            created=self.groups.clock.now(),
            spot=bool(config.get("spot")),
            labels=labels,
            taints=taints,
            advertises_gpus=request.driver,
            settings={
                "gke": request,
                "uid": secrets.token_hex(4),
                "autoscaling": request.autoscaling,
                "path": cluster.path,
            },
        )

    def find(self, cluster: GkeCluster, name: str) -> NodeGroup:
        """Return a pool or refuse as GKE does, also when reads are behind writes."""
        group = self.groups.get(cluster.key, name)
        if group is None or self.fate("read", group) is not None:
            raise GoogleError(404, f"Not found: {cluster.path}/nodePools/{name}.")
        return group

    def get(self, cluster: GkeCluster, name: str) -> dict[str, Any]:
        """Describe a pool."""
        group = self.find(cluster, name)
        view = self.describe(cluster, group)
        odd = self.fate("status", group)
        return {**view, "status": odd.code} if odd is not None else view

    def delete(self, cluster: GkeCluster, name: str) -> Operation:
        """Begin the end of a pool."""
        group = self.find(cluster, name)
        self.operations.check_free(cluster)
        self.groups.delete(group)
        return self._operate(cluster, "DELETE_NODE_POOL", group, self._settled(group))

    def update(self, cluster: GkeCluster, name: str, body: Mapping[str, Any]) -> Operation:
        """Replace the resource labels of a pool, in place; nothing else is simulated."""
        group = self.find(cluster, name)
        if set(body) - {"etag"} != {"resourceLabels"}:
            raise GoogleError(400, "Only resource_labels of a node pool can be updated; the rest is not simulated.")
        if body.get("etag", etag(group)) != etag(group):
            raise GoogleError(409, "Etag does not match the current version of the node pool.", status="ABORTED")
        self.operations.check_free(cluster)
        group.settings["gke"].config["resourceLabels"] = dict(body["resourceLabels"].get("labels") or {})
        return self._operate(cluster, "UPGRADE_NODES", group, self._in_place())

    async def _in_place(self) -> None:
        await self.groups.clock.sleep(self.groups.delays.operation)

    def set_size(self, cluster: GkeCluster, name: str, body: Mapping[str, Any]) -> Operation:
        """Resize a pool; the count is for each zone."""
        group = self.find(cluster, name)
        self.operations.check_free(cluster)
        group.settings["set_size"] = int(body.get("nodeCount", 0))
        self.groups.resize(group, group.settings["set_size"] * len(group.zones))
        locks = self.fate("lock", group) is not None
        return self._operate(cluster, "SET_NODE_POOL_SIZE", group, self._sought() if locks else self._settled(group))

    async def _sought(self) -> None:
        """Hold the cluster for as long as machines are looked for in a stockout, whatever becomes of the pool."""
        await self.groups.clock.sleep(self.groups.delays.capacity_timeout)

    def _operate(self, cluster: GkeCluster, kind: str, group: NodeGroup, work: Any) -> Operation:
        return self.operations.start(cluster, kind, f"{cluster.path}/nodePools/{group.name}", work)

    async def _settled(self, group: NodeGroup) -> tuple[int, str] | None:
        """Wait for the end of a step. A create in a stockout takes as long as its retries, then leaves ERROR."""
        moving = {State.CREATING, State.UPDATING, State.DELETING}
        while group.state in moving and self.groups.get(group.key, group.name) is group:
            await self.groups.next_change(group)
        problem = group.problems[-1] if group.problems else None
        if problem is None or group.state not in {State.CREATE_FAILED, State.DELETE_FAILED, State.DEGRADED}:
            return None
        return (RESOURCE_EXHAUSTED if problem.code in CANONICAL else INTERNAL), problem.message

    async def _end_of_run(self, group: NodeGroup, seconds: float) -> None:
        """Delete each VM at the end of its run, as its instance group does; a pool of fixed size gets a new one."""
        while True:
            now = self.groups.clock.now()
            for instance in list(group.instances):
                if (now - instance.launched).total_seconds() >= seconds:
                    self.groups.lose(group, instance, replace=group.settings["autoscaling"] is None)
            ends = [seconds - (now - instance.launched).total_seconds() for instance in group.instances]
            pace = min(self.groups.delays.autoscaler, seconds)
            await self.groups.clock.sleep(min([*ends, seconds]) if ends else pace)

    def describe(self, cluster: GkeCluster, group: NodeGroup) -> dict[str, Any]:
        """Write a pool as GKE does."""
        request: PoolRequest = group.settings["gke"]
        body = request.body
        view: dict[str, Any] = {
            "name": group.name,
            "config": {"machineType": group.machine.name, "diskSizeGb": 100, "oauthScopes": [], **request.config},
            "initialNodeCount": group.settings.get("set_size", int(body.get("initialNodeCount", 0))),
            "autoscaling": body.get("autoscaling") or {},
            "management": body.get("management") or {"autoUpgrade": True, "autoRepair": True},
            "locations": list(group.zones),
            "selfLink": f"https://container.googleapis.com/v1/{cluster.path}/nodePools/{group.name}",
            "version": f"{cluster.version}-gke.1000",
            "instanceGroupUrls": [self.instance_group_url(cluster, group, zone) for zone in group.zones]
            if group.launching
            else [],
            "status": STATUS[group.state],
            "etag": etag(group),
        }
        if group.problems:
            view["statusMessage"] = group.problems[-1].message
            view["conditions"] = [
                {
                    "code": condition_code(problem),
                    "message": problem.message,
                    "canonicalCode": CANONICAL.get(problem.code, "INTERNAL"),
                }
                for problem in group.problems
            ]
        for name in ("nodeDrainConfig", "queuedProvisioning", "placementPolicy", "upgradeSettings", "networkConfig"):
            if body.get(name):
                view[name] = body[name]
        return view

    def instance_group_url(self, cluster: GkeCluster, group: NodeGroup, zone: str) -> str:
        """Name the managed instance group of a pool in a zone, at this world's address."""
        place = f"{self.compute_url}/compute/v1/projects/{cluster.project}/zones/{zone}"
        return f"{place}/instanceGroupManagers/{instance_group(group)}"


def etag(group: NodeGroup) -> str:
    """Name the version of a pool; anything that changes it changes its name."""
    labels = group.settings["gke"].config.get("resourceLabels")
    return hashlib.sha256(f"{group.state}{group.modified}{labels}".encode()).hexdigest()[:16]


def condition_code(problem: Problem) -> str:
    """Name a problem as StatusCondition does; what GKE has no word for is UNKNOWN."""
    return problem.code if problem.code in CONDITION_CODES else "UNKNOWN"


def instance_group(group: NodeGroup) -> str:
    """Name the managed instance group behind a pool, as GKE names it."""
    cluster = group.key.rsplit("/", 1)[-1]
    return f"gke-{cluster[:16]}-{group.name[:16]}-{group.settings['uid']}-grp"


class GceWording:
    """Name GCE instances, and word failed launches as a managed instance group does."""

    def name_instance(self, group: NodeGroup) -> tuple[str, str, str]:
        """Name a new instance; node and instance bear one name on GKE."""
        name = f"{instance_group(group).removesuffix('-grp')}-{secrets.token_hex(2)}"
        return name, name, f"10.132.{secrets.randbelow(250)}.{secrets.randbelow(250) + 1}"

    def provider_id(self, group: NodeGroup, instance: Instance) -> str:
        """Write ``gce://PROJECT/ZONE/INSTANCE``."""
        return f"gce://{group.key.removeprefix('gke:').split('/')[0]}/{instance.zone}/{instance.id}"

    def launch_failed(self, group: NodeGroup, incident: Incident) -> tuple[str, Problem]:
        """Word a failed launch in Google's terms, whatever cloud's code the fault was given."""
        code = CONDITIONS.get(incident.code, incident.code)
        zone = group.zones[0]
        message = SENTENCES.get(code, incident.message)
        facts = {"{project}": group.key.split(":")[1].split("/")[0], "{zone}": zone, "{region}": zone.rsplit("-", 1)[0]}
        for blank, fact in facts.items():
            message = message.replace(blank, fact)
        return message, Problem(code=code, message=message)
