"""Answer EC2 Auto Scaling: the groups behind node groups, whose activities show a lack of capacity first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from multicluster.simulator.aws.errors import AwsError
from multicluster.simulator.aws.nodegroups import asg_name
from multicluster.simulator.aws.xml import filters, indexed

if TYPE_CHECKING:
    from multicluster.simulator.aws.call import Call
    from multicluster.simulator.aws.clusters import EksCluster, EksClusters
    from multicluster.simulator.fleet import Activity, NodeGroup
    from multicluster.simulator.node_groups import NodeGroups

MAX_RECORDS = 100


class AutoScaling:
    """Serve DescribeAutoScalingGroups and DescribeScalingActivities."""

    def __init__(self, clusters: EksClusters, groups: NodeGroups) -> None:
        self.clusters, self.groups = clusters, groups

    def answer(self, operation: str, call: Call) -> dict[str, Any]:
        """Do an operation; raises AwsError as the service does."""
        if operation == "DescribeAutoScalingGroups":
            return self._describe_groups(call)
        if operation == "DescribeScalingActivities":
            return self._describe_activities(call)
        raise AwsError("InvalidAction", f"Could not find operation {operation} for version 2011-01-01")

    def _visible(self, call: Call) -> list[tuple[EksCluster, NodeGroup]]:
        mine = [c for c in self.clusters.all.values() if (c.account, c.region) == (call.caller.account, call.region)]
        return [(cluster, group) for cluster in mine for group in self.groups.of(cluster.key) if group.launching]

    def _describe_groups(self, call: Call) -> dict[str, Any]:
        names = indexed(call.body, "AutoScalingGroupNames")
        wanted = filters(call.body)
        found = []
        for cluster, group in self._visible(call):
            tags = asg_tags(cluster, group)
            named = not names or asg_name(group) in names
            if named and all(tags.get(name.removeprefix("tag:")) in values for name, values in wanted):
                found.append(describe(cluster, group, tags))
        return paged(call, "AutoScalingGroups", found)

    def _describe_activities(self, call: Call) -> dict[str, Any]:
        name = call.body.get("AutoScalingGroupName")
        listed = [group for _, group in self._visible(call) if name in {None, asg_name(group)}]
        if name and not listed:
            raise AwsError("ValidationError", f"AutoScalingGroup name not found - AutoScalingGroup {name} not found")
        found = [
            (activity.started, describe_activity(group, activity)) for group in listed for activity in group.activities
        ]
        return paged(call, "Activities", [view for _, view in sorted(found, key=lambda pair: pair[0], reverse=True)])


def asg_tags(cluster: EksCluster, group: NodeGroup) -> dict[str, str]:
    """Tags EKS itself puts on the Auto Scaling group; those of the node group do not propagate."""
    return {
        "eks:cluster-name": cluster.name,
        "eks:nodegroup-name": group.name,
        f"k8s.io/cluster-autoscaler/{cluster.name}": "owned",
        "k8s.io/cluster-autoscaler/enabled": "true",
        f"kubernetes.io/cluster/{cluster.name}": "owned",
    }


def describe(cluster: EksCluster, group: NodeGroup, tags: dict[str, str]) -> dict[str, Any]:
    """Write an Auto Scaling group."""
    name = asg_name(group)
    arn = f"arn:aws:autoscaling:{cluster.region}:{cluster.account}"
    return {
        "AutoScalingGroupName": name,
        "AutoScalingGroupARN": f"{arn}:autoScalingGroup:{group.settings['uuid']}:autoScalingGroupName/{name}",
        "MinSize": group.minimum,
        "MaxSize": group.maximum,
        "DesiredCapacity": group.desired,
        "DefaultCooldown": 300,
        "AvailabilityZones": sorted(set(group.zones)),
        "HealthCheckType": "EC2",
        "HealthCheckGracePeriod": 15,
        "Instances": [
            {
                "InstanceId": instance.id,
                "InstanceType": instance.machine.name,
                "AvailabilityZone": instance.zone,
                "LifecycleState": "Terminating" if instance.state == "shutting-down" else "InService",
                "HealthStatus": "Healthy",
                "ProtectedFromScaleIn": False,
            }
            for instance in group.instances
        ],
        "CreatedTime": group.created,
        "SuspendedProcesses": [],
        "VPCZoneIdentifier": ",".join(group.settings["eks"].subnets),
        "Tags": [
            {
                "ResourceId": name,
                "ResourceType": "auto-scaling-group",
                "Key": key,
                "Value": value,
                "PropagateAtLaunch": True,
            }
            for key, value in tags.items()
        ],
        "Status": "Delete in progress" if group.state == "DELETING" else None,
    }


def describe_activity(group: NodeGroup, activity: Activity) -> dict[str, Any]:
    """Write a scaling activity."""
    return {
        "ActivityId": activity.id,
        "AutoScalingGroupName": asg_name(group),
        "Description": activity.description,
        "Cause": activity.cause,
        "StartTime": activity.started,
        "EndTime": activity.ended,
        "StatusCode": "Successful" if activity.succeeded else "Failed",
        "StatusMessage": activity.message or None,
        "Progress": 100,
        "Details": "{}",
    }


def paged(call: Call, member: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    """Cut a list into pages of MaxRecords."""
    size = min(int(call.body.get("MaxRecords", MAX_RECORDS)), MAX_RECORDS)
    token = call.body.get("NextToken", "0")
    if not token.isdigit():
        raise AwsError("InvalidNextToken", "The token is invalid")
    start = int(token)
    return {member: items[start : start + size], "NextToken": str(start + size) if len(items) > start + size else None}
