"""Write the registry document of a world's clusters, as DESIGN 3 has it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from multicluster.simulator.aws.clusters import EksCluster
from multicluster.simulator.aws.identities import DEFAULT_ACCOUNT

if TYPE_CHECKING:
    from multicluster.simulator.google.clusters import GkeCluster
    from multicluster.simulator.world import World


def registry(world: World) -> dict[str, object]:
    """Describe every cluster, those of clouds with a profile ``l4``; writes the kubeconfig it names into the root."""
    path = world.root / "kubeconfig"
    path.touch(mode=0o600, exist_ok=True)
    path.write_text(json.dumps(world.kubeconfig()))
    clusters = []
    for entrance in world.entrances.values():
        cloud = entrance.cloud
        if cloud is None:
            auth: dict[str, Any] = {"kubeconfig": {"path": str(path), "context": entrance.name}}
            clusters.append({"name": entrance.name, "auth": auth})
        elif isinstance(cloud, EksCluster):
            clusters.append({"name": entrance.name, **eks(cloud)})
        else:
            clusters.append({"name": entrance.name, **gke(cloud)})
    return {"apiVersion": "multicluster/v1alpha1", "kind": "ClusterRegistry", "clusters": clusters}


def eks(cluster: EksCluster) -> dict[str, Any]:
    """Describe an EKS cluster; one of another account is entered by that account's role ``airflow-gpu``."""
    auth: dict[str, Any] = {"clusterName": cluster.name, "region": cluster.region}
    role = f"arn:aws:iam::{cluster.account}:role/"
    if cluster.account != DEFAULT_ACCOUNT:
        auth["credentials"] = {"roles": [{"roleArn": role + "airflow-gpu"}]}
    pools = {
        "eks": {
            "nodeRoleArn": role + "gpu-node",
            "subnets": list(cluster.subnets),
            "deadMan": {"schedulerRoleArn": role + "deadman"},
        },
        "profiles": {"l4": {"instanceTypes": ["g6.xlarge"], "gpu": {"resource": "nvidia.com/gpu", "perNode": 1}}},
    }
    return {"labels": {"topology.kubernetes.io/region": cluster.region}, "auth": {"eks": auth}, "nodePools": pools}


def gke(cluster: GkeCluster) -> dict[str, Any]:
    """Describe a GKE cluster, reached by its DNS endpoint."""
    auth = {"projectId": cluster.project, "location": cluster.location, "clusterName": cluster.name, "endpoint": "dns"}
    gpu = {"resource": "nvidia.com/gpu", "perNode": 1, "type": "nvidia-l4"}
    pools = {"profiles": {"l4": {"instanceTypes": ["g2-standard-4"], "gpu": gpu}}}
    return {"labels": {"topology.kubernetes.io/region": cluster.location}, "auth": {"gke": auth}, "nodePools": pools}
