"""The clusters as our code knows them: the registry's own ``Cluster``, entered without credentials or sockets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

from kubernetes.client import ApiClient

from matrix.doors import AwsSession, google_session, kubernetes_client
from multicluster.access.kind import ClusterContext
from multicluster.errors import UnknownClusterError
from multicluster.kinds import eks, gke
from multicluster.kinds.eks.node_pools import EksNodePools
from multicluster.kinds.gke.node_pools import GkeNodePools
from multicluster.registry.cluster import Cluster
from multicluster.registry.kind_documents import cluster_model

REGION, PROJECT, LOCATION = "us-east-1", "acme", "europe-west4-a"
ROLE = "arn:aws:iam::111122223333:role/"
GPU = {"resource": "nvidia.com/gpu", "perNode": 1}
EKS_POOLS = {
    "eks": {
        "nodeRoleArn": f"{ROLE}gpu-node",
        "subnets": ["subnet-a"],
        "deadMan": {"schedulerRoleArn": f"{ROLE}deadman"},
    },
    "profiles": {"l4": {"instanceTypes": ["g6.xlarge"], "gpu": GPU}},
}
GKE_POOLS = {"profiles": {"l4": {"instanceTypes": ["g2-standard-4"], "gpu": {**GPU, "type": "nvidia-l4"}}}}
EKS, GKE = ("use1", "use2"), ("euw4",)


class Access:
    """The means to reach one cluster, as far as its node pools go."""

    tokens = None

    def __init__(self, options: Any, context: ClusterContext) -> None:
        self._options, self._context = options, context

    def endpoint(self, *, fresh: bool = False) -> Any:
        raise NotImplementedError(fresh)

    def node_pools(self) -> Any:
        options, context = self._options, self._context
        if context.name in EKS:
            return EksNodePools(
                session=AwsSession(),
                cluster_name=options.cluster_name,
                region=options.region,
                options=context.node_pools,
                clock=context.clock,
            )
        return GkeNodePools(
            session=google_session(),
            project_id=options.project_id,
            location=options.location,
            cluster_name=options.cluster_name,
            api_url="https://container.googleapis.com/",
            options=context.node_pools,
            clock=context.clock,
        )


class MatrixCluster(Cluster):
    """A cluster whose API server is a ``NodeBoard``."""

    def client(self) -> ApiClient:
        return kubernetes_client(self.name)


@cache
def _kind(name: str) -> Any:
    return replace(eks.KIND if name in EKS else gke.KIND, access="matrix.clusters:Access")


@cache
def _document(name: str) -> Any:
    if name in EKS:
        auth: dict[str, Any] = {"eks": {"clusterName": name, "region": REGION}}
        pools: dict[str, Any] = EKS_POOLS
    else:
        auth = {"gke": {"projectId": PROJECT, "location": LOCATION, "clusterName": name, "endpoint": "dns"}}
        pools = GKE_POOLS
    return cluster_model(_kind(name)).model_validate_json(_json({"name": name, "auth": auth, "nodePools": pools}))


def _json(document: Mapping[str, Any]) -> str:
    import json

    return json.dumps(document)


class Registry:
    """The registry as one process reads it: clusters of its own, made when they are asked for.

    *names* is what stands in the file now; a person may take one out.
    """

    def __init__(self, names: set[str], clock: Callable[[], datetime]) -> None:
        self._names, self._clock = names, clock
        self._made: dict[str, MatrixCluster] = {}

    def find(self, name: str) -> MatrixCluster:
        """Return the cluster. Raises UnknownClusterError."""
        if name not in self._names:
            raise UnknownClusterError(f"no cluster named {name!r} in the registry")
        if name not in self._made:
            self._made[name] = MatrixCluster(
                document=_document(name), kind=_kind(name), source="matrix", clock=self._clock
            )
        return self._made[name]

    def all(self) -> list[MatrixCluster]:
        """Return every cluster that is in the registry now."""
        return [self.find(name) for name in sorted(self._names)]
