"""Answer EC2's DescribeInstances: the proof that a node group's machines are gone."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from multicluster.simulator.aws.errors import AwsError
from multicluster.simulator.aws.nodegroups import asg_name
from multicluster.simulator.aws.xml import filters, indexed

if TYPE_CHECKING:
    from multicluster.simulator.aws.call import Call
    from multicluster.simulator.aws.clusters import EksCluster, EksClusters
    from multicluster.simulator.fleet import Instance, NodeGroup
    from multicluster.simulator.node_groups import NodeGroups

STATES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48}


class Ec2:
    """Serve DescribeInstances. Terminated instances stay visible, as they do for about an hour on EC2."""

    def __init__(self, clusters: EksClusters, groups: NodeGroups) -> None:
        self.clusters, self.groups = clusters, groups

    def answer(self, operation: str, call: Call) -> dict[str, Any]:
        """Do an operation; raises AwsError as EC2 does."""
        if operation != "DescribeInstances":
            raise AwsError("InvalidAction", f"The action {operation} is not valid for this web service.")
        wanted = indexed(call.body, "InstanceId")
        everything = [self._tagged(cluster, instance, group) for cluster, instance, group in self._visible(call)]
        missing = set(wanted) - {view["instanceId"] for view in everything}
        if missing:
            raise AwsError("InvalidInstanceID.NotFound", f"The instance ID '{min(missing)}' does not exist")
        asked = filters(call.body)
        found = [view for view in everything if (not wanted or view["instanceId"] in wanted) and fits(view, asked)]
        owner = call.caller.account
        reservations = [
            {"reservationId": "r-" + view["instanceId"][2:], "ownerId": owner, "groupSet": [], "instancesSet": [view]}
            for view in found
        ]
        return {"reservationSet": reservations}

    def _visible(self, call: Call) -> list[tuple[EksCluster, Instance, NodeGroup]]:
        found = []
        for cluster in self.clusters.all.values():
            if (cluster.account, cluster.region) != (call.caller.account, call.region):
                continue
            for group in self.groups.of(cluster.key):
                found += [(cluster, instance, group) for instance in group.instances]
            found += [
                (cluster, instance, group) for instance, group in self.groups.terminated if group.key == cluster.key
            ]
        return found

    def _tagged(self, cluster: EksCluster, instance: Instance, group: NodeGroup) -> dict[str, Any]:
        tags = {
            "eks:cluster-name": cluster.name,
            "eks:nodegroup-name": group.name,
            f"kubernetes.io/cluster/{cluster.name}": "owned",
            "aws:autoscaling:groupName": asg_name(group),
        }
        return {
            "instanceId": instance.id,
            "instanceType": instance.machine.name,
            "instanceState": {"code": STATES[instance.state], "name": instance.state},
            "privateDnsName": "" if instance.state == "terminated" else instance.node,
            "privateIpAddress": None if instance.state == "terminated" else instance.address,
            "launchTime": instance.launched,
            "placement": {"availabilityZone": instance.zone, "tenancy": "default"},
            "instanceLifecycle": "spot" if group.spot else None,
            "tagSet": [{"key": key, "value": value} for key, value in tags.items()],
        }


def fits(view: dict[str, Any], asked: list[tuple[str, list[str]]]) -> bool:
    """Tell whether an instance passes all filters; values may hold ``*`` and ``?``."""
    tags = {tag["key"]: tag["value"] for tag in view["tagSet"]}
    plain = {
        "instance-state-name": view["instanceState"]["name"],
        "instance-type": view["instanceType"],
        "instance-id": view["instanceId"],
        "private-dns-name": view["privateDnsName"],
        "availability-zone": view["placement"]["availabilityZone"],
    }
    for name, values in asked:
        if name == "tag-key":
            have = [key for key in tags if any(fnmatchcase(key, value) for value in values)]
            if not have:
                return False
            continue
        if not name.startswith("tag:") and name not in plain:
            raise AwsError("InvalidParameterValue", f"The filter '{name}' is invalid")
        actual = tags.get(name[4:]) if name.startswith("tag:") else plain[name]
        if actual is None or not any(fnmatchcase(actual, value) for value in values):
            return False
    return True
