"""A registry file of 1,000 clusters, read, merged with its defaults and validated; imports apart.

Once with the few fields that most clusters have, and once with every field set that the schema knows.
"""

from __future__ import annotations

import base64
import tempfile
from pathlib import Path

import yaml
from fresh import Child, interleaved
from row import Row, within

CLUSTERS = 1000
PEM = "\n".join(("-----BEGIN CERTIFICATE-----", *["MIIDBTCCAe2gAwIBAgIIC" * 3] * 16, "-----END CERTIFICATE-----", ""))
"""As long as the CA of an EKS cluster."""


def measure(repeat: int) -> list[Row]:
    """Write the files as a person would (YAML), and load each in fresh processes."""
    with tempfile.TemporaryDirectory() as folder:
        children = {}
        for name, document in (("usual", _usual()), ("full", _full())):
            path = Path(folder) / f"{name}.yaml"
            path.write_text(yaml.safe_dump(document, sort_keys=False))
            children[name] = Child(script="registry_load.py", arguments=(str(path),))
        medians = interleaved(children, repeat)
    return [
        within("registry of 1,000 clusters, load and validate", "ms", ours=medians["usual"]["load"], at_most=150),
        within("the same with every field set", "ms", ours=medians["full"]["load"], at_most=150),
    ]


def _usual() -> dict[str, object]:
    clusters = [_usual_eks(number) if number % 2 else _usual_gke(number) for number in range(CLUSTERS)]
    return _document({"pods": {"namespace": "ml"}}, clusters)


def _full() -> dict[str, object]:
    clusters = [_full_eks(number) if number % 2 else _full_gke(number) for number in range(CLUSTERS)]
    return _document({"pods": {"namespace": "ml"}, "labels": {"team": "ml"}}, clusters)


def _document(defaults: dict[str, object], clusters: list[dict[str, object]]) -> dict[str, object]:
    return {
        "apiVersion": "multicluster/v1alpha1",
        "kind": "ClusterRegistry",
        "defaults": defaults,
        "clusters": clusters,
    }


def _usual_eks(number: int) -> dict[str, object]:
    return {
        "name": f"eks-{number}",
        "labels": {"topology.kubernetes.io/region": "us-east-1", "tier": "prod"},
        "auth": {"eks": {"clusterName": f"gpu-{number}", "region": "us-east-1"}},
        "nodePools": {
            "eks": {"nodeRoleArn": "arn:aws:iam::111122223333:role/gpu-node", "subnets": ["subnet-a", "subnet-b"]},
            "profiles": {"l4": {"instanceTypes": ["g6.xlarge"], "gpu": {"resource": "nvidia.com/gpu", "perNode": 1}}},
        },
    }


def _usual_gke(number: int) -> dict[str, object]:
    return {
        "name": f"gke-{number}",
        "labels": {"topology.kubernetes.io/region": "europe-west4", "tier": "prod"},
        "auth": {"gke": {"projectId": "acme-gpu", "location": "europe-west4", "clusterName": f"gpu-{number}"}},
    }


def _full_eks(number: int) -> dict[str, object]:
    role = {
        "roleArn": f"arn:aws:iam::111122223333:role/airflow-gpu-{number}",
        "externalId": "acme",
        "sessionName": "airflow",
        "durationSeconds": 3600,
    }
    auth = {
        "clusterName": f"gpu-{number}",
        "region": "us-east-1",
        "endpoint": f"https://{number:032X}.gr7.us-east-1.eks.amazonaws.com",
        "certificateAuthorityData": base64.b64encode(PEM.encode()).decode(),
        "credentials": {"connection": "aws_gpu", "roles": [role]},
    }
    node_pools = {
        "nodeRoleArn": "arn:aws:iam::111122223333:role/gpu-node",
        "subnets": ["subnet-a", "subnet-b"],
        "deadMan": {"schedulerRoleArn": "arn:aws:iam::111122223333:role/dead-man", "groupName": "multicluster"},
        "launchTemplate": {"name": "gpu", "version": "7"},
        "tags": {"team": "ml", "cost-center": "4711"},
    }
    return _full_cluster(number, "eks", auth, node_pools)


def _full_gke(number: int) -> dict[str, object]:
    auth = {
        "projectId": "acme-gpu",
        "location": "europe-west4",
        "clusterName": f"gpu-{number}",
        "endpoint": "dns",
        "credentials": {"connection": "google_gpu", "impersonate": ["gpu@acme-gpu.iam.gserviceaccount.com"]},
    }
    node_pools = {
        "serviceAccount": "nodes@acme-gpu.iam.gserviceaccount.com",
        "networkTags": ["gpu"],
        "diskType": "pd-ssd",
        "workloadMetadata": "GKE_METADATA",
        "resourceLabels": {"team": "ml", "cost-center": "4711"},
    }
    return _full_cluster(number, "gke", auth, node_pools)


def _full_cluster(number: int, kind: str, auth: object, node_pools: object) -> dict[str, object]:
    profile = {
        "instanceTypes": ["g6.xlarge"],
        "gpu": {"resource": "nvidia.com/gpu", "perNode": 1, "type": "nvidia-l4", "driverVersion": "latest"},
        "capacityType": "spot",
        "diskGiB": 200,
        "amiType": "AL2023_x86_64_NVIDIA",
        "zones": ["europe-west4-a"],
        "labels": {"tier": "gpu"},
        "taints": [{"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}],
    }
    return {
        "name": f"{kind}-{number}",
        "displayName": f"GPU production {number}",
        "labels": {"topology.kubernetes.io/region": "us-east-1", "tier": "prod"},
        "auth": {kind: auth},
        "network": {"proxyUrl": "http://proxy:3128", "connectTimeoutSeconds": 3, "readTimeoutSeconds": 30},
        "pods": {
            "namespace": "ml",
            "serviceAccountName": "trainer",
            "imagePullSecrets": ["registry"],
            "startupTimeoutSeconds": 900,
        },
        "nodePools": {
            kind: node_pools,
            "profiles": {"l4": profile},
            "limits": {"pools": 4, "nodes": 16, "maxLifetimeSeconds": 43200},
        },
        "identity": {"kubeSystemUid": f"{number:08x}-0000-4000-8000-000000000000", "caSha256": [f"{number:064x}"]},
        "cordoned": {
            "reason": "upgrade",
            "since": "2026-11-21T18:00:00Z",
            "until": "2026-11-22T18:00:00Z",
        },
    }
