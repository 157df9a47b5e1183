"""Answer container.googleapis.com v1: find the method of a path, then do it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from multicluster.simulator.google.errors import GoogleError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from multicluster.simulator.google.clusters import GkeCluster, GkeClusters
    from multicluster.simulator.google.node_pools import NodePools
    from multicluster.simulator.google.operations import Operations

PATH = re.compile(
    r"/v1/projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)/"
    r"(?:operations/(?P<operation>[^/:]+)|"
    r"clusters/(?P<cluster>[^/:]+)(?P<pools>/nodePools(?:/(?P<pool>[^/:]+))?)?)"
    r"(?::(?P<verb>\w+))?"
)  # fmt: skip


class Container:
    """Serve clusters.get, nodePools.create/get/list/update/delete/setSize and operations.get."""

    def __init__(self, clusters: GkeClusters, pools: NodePools, operations: Operations) -> None:
        self.clusters, self.pools, self.operations = clusters, pools, operations

    def method(self, verb: str, path: str) -> tuple[str, str]:
        """Name the method of a request, and what it is about: ``cluster/pool``."""
        found = PATH.fullmatch(path)
        if found is None:
            raise GoogleError(404, f"not simulated: {verb} {path}")
        parts = found.groupdict()
        custom = parts["verb"]
        if parts["operation"]:
            name = "operations.get"
        elif parts["pools"]:
            name = pool_method(verb, custom, has_name=bool(parts["pool"]))
        else:
            name = "clusters.get"
        if name.endswith((".get", ".list")) and (verb != "GET" or custom):
            raise GoogleError(404, f"not simulated: {verb} {path}")
        target = "/".join(part for part in (parts["cluster"], parts["pool"]) if part)
        return name, target

    def answer(self, method: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Do a method; raises GoogleError as GKE does."""
        found = PATH.fullmatch(path)
        if found is None:
            raise GoogleError(404, f"not simulated: {path}")
        project, location = found["project"], found["location"]
        if method == "operations.get":
            return self.operations.find(project, location, found["operation"]).describe()
        cluster = self.clusters.find(project, location, found["cluster"])
        if method == "clusters.get":
            return cluster.describe([self.pools.describe(cluster, one) for one in self.pools.groups.of(cluster.key)])
        return self._pools(method, cluster, found["pool"] or "", body)

    def _pools(self, method: str, cluster: GkeCluster, pool: str, body: Mapping[str, Any]) -> dict[str, Any]:
        match method:
            case "nodePools.list":
                views = [self.pools.describe(cluster, group) for group in self.pools.groups.of(cluster.key)]
                return {"nodePools": views} if views else {}
            case "nodePools.get":
                return self.pools.get(cluster, pool)
            case "nodePools.create":
                return self.pools.create(cluster, body).describe()
            case "nodePools.delete":
                return self.pools.delete(cluster, pool).describe()
            case "nodePools.update":
                return self.pools.update(cluster, pool, body).describe()
        return self.pools.set_size(cluster, pool, body).describe()


def pool_method(verb: str, custom: str | None, *, has_name: bool) -> str:
    """Name a method on node pools; empty when the API has none."""
    if has_name:
        named = {("GET", ""): "get", ("DELETE", ""): "delete", ("PUT", ""): "update", ("POST", "setSize"): "setSize"}
        known = named.get((verb, custom or ""))
    else:
        known = {("GET", ""): "list", ("POST", ""): "create"}.get((verb, custom or ""))
    if known is None:
        raise GoogleError(404, f"not simulated: {verb} on node pools")
    return f"nodePools.{known}"
