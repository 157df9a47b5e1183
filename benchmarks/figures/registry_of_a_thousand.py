"""A registry file of 1,000 clusters, read, merged with its defaults and validated; imports apart."""

from __future__ import annotations

import tempfile
from pathlib import Path

import yaml
from fresh import Child, interleaved
from row import Row, within


def measure(repeat: int) -> list[Row]:
    """Write the file as a person would (YAML), and load it in fresh processes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clusters.yaml"
        path.write_text(yaml.safe_dump(_document(1000), sort_keys=False))
        medians = interleaved({"load": Child(script="registry_load.py", arguments=(str(path),))}, repeat)
    return [within("registry of 1,000 clusters, load and validate", "ms", ours=medians["load"]["load"], at_most=150)]


def _document(clusters: int) -> dict[str, object]:
    return {
        "apiVersion": "multicluster/v1alpha1",
        "kind": "ClusterRegistry",
        "defaults": {"pods": {"namespace": "ml"}},
        "clusters": [_eks(number) if number % 2 else _gke(number) for number in range(clusters)],
    }


def _eks(number: int) -> dict[str, object]:
    return {
        "name": f"eks-{number}",
        "labels": {"topology.kubernetes.io/region": "us-east-1", "tier": "prod"},
        "auth": {"eks": {"clusterName": f"gpu-{number}", "region": "us-east-1"}},
        "nodePools": {
            "eks": {"nodeRoleArn": "arn:aws:iam::111122223333:role/gpu-node", "subnets": ["subnet-a", "subnet-b"]},
            "profiles": {"l4": {"instanceTypes": ["g6.xlarge"], "gpu": {"resource": "nvidia.com/gpu", "perNode": 1}}},
        },
    }


def _gke(number: int) -> dict[str, object]:
    return {
        "name": f"gke-{number}",
        "labels": {"topology.kubernetes.io/region": "europe-west4", "tier": "prod"},
        "auth": {"gke": {"projectId": "acme-gpu", "location": "europe-west4", "clusterName": f"gpu-{number}"}},
    }
