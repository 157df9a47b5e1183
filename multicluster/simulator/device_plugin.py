"""The DaemonSets that advertise GPUs, as objects of the simulated clusters.

They run no pods here: whether one is there decides whether GPUs ever become allocatable, as in a real cluster.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multicluster.simulator.kubernetes.cluster import KubernetesCluster

NAMESPACE = "kube-system"
NVIDIA = "nvidia-device-plugin-daemonset"
"""NVIDIA's static manifest; it tolerates the taint ``nvidia.com/gpu`` and no other."""
GKE = "nvidia-gpu-device-plugin"
"""The one that GKE manages; it tolerates everything."""


def install_nvidia(kubernetes: KubernetesCluster) -> None:
    """Apply NVIDIA's static manifest, as whoever set the EKS cluster up has done."""
    tolerations = [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]
    kubernetes.create(
        "daemonsets", _manifest(NVIDIA, "nvcr.io/nvidia/k8s-device-plugin:v0.20.0", tolerations), NAMESPACE
    )


def install_gke(kubernetes: KubernetesCluster) -> None:
    """Put GKE's own plugin where GKE keeps it."""
    manifest = _manifest(GKE, "gke.gcr.io/nvidia-gpu-device-plugin:1.0", [{"operator": "Exists"}])
    kubernetes.create("daemonsets", manifest, NAMESPACE)


def installed(kubernetes: KubernetesCluster) -> bool:
    """Tell whether NVIDIA's DaemonSet is in the cluster now."""
    return any(one["metadata"]["name"] == NVIDIA for one in kubernetes.objects("daemonsets", NAMESPACE))


def _manifest(name: str, image: str, tolerations: list[dict[str, Any]]) -> dict[str, Any]:
    labels = {"name": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "tolerations": tolerations,
                    "priorityClassName": "system-node-critical",
                    "containers": [{"name": "nvidia-device-plugin-ctr", "image": image}],
                },
            },
        },
    }
