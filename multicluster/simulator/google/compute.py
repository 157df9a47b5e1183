"""Answer the little of Compute Engine that proves a pool's machines are gone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from multicluster.simulator.google.errors import GoogleError
from multicluster.simulator.google.instance_filter import passes
from multicluster.simulator.google.node_pools import instance_group

if TYPE_CHECKING:
    from collections.abc import Iterator

    from multicluster.simulator.fleet import Activity, Instance, NodeGroup
    from multicluster.simulator.node_groups import NodeGroups

PATH = re.compile(
    r"/compute/v1/projects/([^/]+)/zones/([^/]+)/(instances|instanceGroupManagers)(?:/([^/]+)(?:/(\w+))?)?"
)
AGGREGATED = re.compile(r"/compute/v1/projects/([^/]+)/aggregated/instances")
STATES = {"pending": "PROVISIONING", "running": "RUNNING", "shutting-down": "STOPPING"}


class Compute:
    """Serve instances.list and aggregatedList, instanceGroupManagers.get and listErrors."""

    def __init__(self, groups: NodeGroups) -> None:
        self.groups = groups

    def operation(self, method: str, path: str) -> str:
        """Name the operation of a request."""
        if method == "GET" and AGGREGATED.fullmatch(path):
            return "instances.aggregatedList"
        found = PATH.fullmatch(path)
        if found is None:
            raise GoogleError(404, f"not simulated: {method} {path}")
        _, _, collection, name, verb = found.groups()
        if collection == "instances" and name is None and method == "GET":
            return "instances.list"
        if collection == "instanceGroupManagers" and name and method == "GET" and verb in (None, "listErrors"):
            return f"instanceGroupManagers.{verb or 'get'}"
        raise GoogleError(404, f"not simulated: {method} {path}")

    def answer(self, operation: str, path: str, query: dict[str, str]) -> dict[str, Any]:
        """Do an operation; raises GoogleError as Compute does."""
        everywhere = AGGREGATED.fullmatch(path)
        if everywhere is not None:
            return self._aggregated(everywhere[1], query.get("filter", ""))
        found = PATH.fullmatch(path)
        if found is None:
            raise GoogleError(404, f"not simulated: {path}")
        project, zone, _, name, _ = found.groups()
        if operation == "instances.list":
            return self._instances(project, zone, query.get("filter", ""))
        group = next((group for group in self._groups(project, zone) if instance_group(group) == name), None)
        if group is None:
            place = f"projects/{project}/zones/{zone}/instanceGroupManagers/{name}"
            raise GoogleError(404, f"The resource '{place}' was not found")
        here = [instance for instance in group.instances if instance.zone == zone]
        if operation == "instanceGroupManagers.get":
            place = zone_url(project, zone)
            return {"kind": "compute#instanceGroupManager", "name": name, "zone": place, "targetSize": len(here)}
        return {"items": [error(group, zone, activity) for activity in group.activities if activity.message]}

    def _groups(self, project: str, zone: str) -> Iterator[NodeGroup]:
        for group in self.groups.groups.values():
            if group.key.startswith(f"gke:{project}/") and group.launching and zone in group.zones:
                yield group

    def _instances(self, project: str, zone: str, asked: str) -> dict[str, Any]:
        views = [
            instance_view(group, instance)
            for group in self._groups(project, zone)
            for instance in group.instances
            if instance.zone == zone
        ]
        items = [view for view in views if passes(view, asked)]
        return {"kind": "compute#instanceList", "items": items} if items else {"kind": "compute#instanceList"}

    def _aggregated(self, project: str, asked: str) -> dict[str, Any]:
        groups = [group for group in self.groups.groups.values() if group.key.startswith(f"gke:{project}/")]
        items: dict[str, Any] = {}
        for zone in sorted({zone for group in groups for zone in group.zones}):
            here = self._instances(project, zone, asked).get("items")
            warning = {"code": "NO_RESULTS_ON_PAGE", "message": f"There are no results for scope 'zones/{zone}'."}
            items[f"zones/{zone}"] = {"instances": here} if here else {"warning": warning}
        return {"kind": "compute#instanceAggregatedList", "items": items}


def zone_url(project: str, zone: str) -> str:
    """Name a zone as Compute's answers do."""
    return f"https://www.googleapis.com/compute/v1/projects/{project}/zones/{zone}"


def instance_view(group: NodeGroup, instance: Instance) -> dict[str, Any]:
    """Write an instance, with the labels GKE gives its nodes' machines beside the pool's own."""
    project, location, cluster = group.key.removeprefix("gke:").split("/")
    labels = {
        **(group.settings["gke"].config.get("resourceLabels") or {}),
        "goog-gke-node": "",
        "goog-k8s-cluster-name": cluster,
        "goog-k8s-cluster-location": location,
        "goog-k8s-node-pool-name": group.name,
    }
    place = zone_url(project, instance.zone)
    machine = f"{place}/machineTypes/{instance.machine.name}"
    status = STATES[instance.state]
    return {"name": instance.id, "status": status, "machineType": machine, "zone": place, "labels": labels}


def error(group: NodeGroup, zone: str, activity: Activity) -> dict[str, Any]:
    """Write a failed launch as listErrors does."""
    project = group.key.removeprefix("gke:").split("/")[0]
    code = "QUOTA_EXCEEDED" if "Quota" in activity.message else "ZONE_RESOURCE_POOL_EXHAUSTED"
    instance = f"{zone_url(project, zone)}/instances/{instance_group(group)}-new"
    return {
        "error": {"code": code, "message": activity.message},
        "instanceActionDetails": {"action": "CREATING", "instance": instance},
        "timestamp": activity.started.isoformat(),
    }
