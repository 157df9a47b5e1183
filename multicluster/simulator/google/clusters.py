"""Hold the GKE clusters of a world, with their two ways in: the IP endpoint and the DNS endpoint."""

from __future__ import annotations

import base64
import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from multicluster.simulator.google.errors import GoogleError

if TYPE_CHECKING:
    from multicluster.simulator.ground import Cluster


@dataclass(kw_only=True)
class GkeCluster:
    """A GKE cluster. ``dns_endpoint`` is a host (and port) whose certificate a public CA signed, here the world's.

    With ``everyone_is_admin`` off, callers have no groups: RBAC decides by e-mail or numeric id.
    """

    name: str
    project: str
    location: str
    kubernetes: Cluster
    created: dt.datetime
    version: str = "1.35.4"
    status: str = "RUNNING"
    dns_endpoint: str = ""
    allow_external_traffic: bool = True
    has_cpu_pool: bool = True
    everyone_is_admin: bool = True

    @property
    def key(self) -> str:
        """The key its node pools are kept under."""
        return f"gke:{self.project}/{self.location}/{self.name}"

    @property
    def path(self) -> str:
        """The resource name."""
        return f"projects/{self.project}/locations/{self.location}/clusters/{self.name}"

    @property
    def zones(self) -> tuple[str, ...]:
        """The zones nodes go to by default: three in a region, one in a zone."""
        regional = self.location.count("-") == 1
        return tuple(f"{self.location}-{letter}" for letter in "abc") if regional else (self.location,)

    def describe(self, node_pools: list[dict[str, Any]]) -> dict[str, Any]:
        """Write the cluster as clusters.get does. The IP endpoints carry a port here, since all share one machine."""
        address = self.kubernetes.url.removeprefix("https://")
        version = f"{self.version}-gke.1000"
        return {
            "name": self.name,
            "selfLink": f"https://container.googleapis.com/v1/{self.path}",
            "location": self.location,
            "zone": self.location,
            "locations": list(self.zones),
            "status": self.status,
            "endpoint": address,
            "initialClusterVersion": version,
            "currentMasterVersion": version,
            "createTime": self.created.isoformat(),
            "masterAuth": {"clusterCaCertificate": base64.b64encode(self.kubernetes.ca_pem).decode()},
            "network": "default",
            "controlPlaneEndpointsConfig": {
                "dnsEndpointConfig": {
                    "endpoint": self.dns_endpoint,
                    "allowExternalTraffic": self.allow_external_traffic,
                    "enableK8sTokensViaDns": False,
                    "enableK8sCertsViaDns": False,
                },
                "ipEndpointsConfig": {
                    "enabled": True,
                    "enablePublicEndpoint": True,
                    "publicEndpoint": address,
                    "privateEndpoint": address,
                },
            },
            "privateClusterConfig": {"privateEndpoint": address, "publicEndpoint": address},
            "releaseChannel": {"channel": "REGULAR"},
            "nodePools": node_pools,
            "currentNodeCount": sum(len(pool.get("instanceGroupUrls", [])) for pool in node_pools),
        }


class GkeClusters:
    """Find clusters by project, location and name."""

    def __init__(self) -> None:
        self.all: dict[tuple[str, str, str], GkeCluster] = {}

    def add(self, cluster: GkeCluster) -> None:
        """Take a cluster in; its name is unique in its project and location."""
        key = (cluster.project, cluster.location, cluster.name)
        if key in self.all:
            raise ValueError(f"a GKE cluster named {cluster.name!r} is already in {cluster.project}/{cluster.location}")
        self.all[key] = cluster

    def find(self, project: str, location: str, name: str) -> GkeCluster:
        """Return a cluster or refuse as GKE does."""
        if (project, location, name) not in self.all:
            raise GoogleError(404, f"Not found: projects/{project}/locations/{location}/clusters/{name}.")
        return self.all[project, location, name]
