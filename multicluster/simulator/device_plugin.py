"""The DaemonSets that advertise GPUs, as objects of the simulated clusters.

Whether one is there decides whether GPUs ever become allocatable, as in a real cluster. Where DaemonSets start pods,
a stand-in runs in them that does nothing: the GPUs are advertised for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multicluster.simulator.ground import Cluster

NAMESPACE = "kube-system"
NVIDIA = "nvidia-device-plugin-daemonset"
"""NVIDIA's static manifest; it tolerates the taint ``nvidia.com/gpu`` and no other."""
GKE = "nvidia-gpu-device-plugin"
"""The one that GKE manages; it tolerates everything."""


def install_nvidia(kubernetes: Cluster) -> None:
    """Apply NVIDIA's static manifest, as whoever set the EKS cluster up has done."""
    tolerations = [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]
    kubernetes.create(
        "daemonsets",
        _manifest(NVIDIA, "nvcr.io/nvidia/k8s-device-plugin:v0.20.0", tolerations, kubernetes.stand_in),
        NAMESPACE,
    )


def install_gke(kubernetes: Cluster) -> None:
    """Put GKE's own plugin where GKE keeps it."""
    image = "gke.gcr.io/nvidia-gpu-device-plugin:1.0"
    manifest = _manifest(GKE, image, [{"operator": "Exists"}], kubernetes.stand_in)
    kubernetes.create("daemonsets", manifest, NAMESPACE)


def installed(kubernetes: Cluster) -> bool:
    """Tell whether NVIDIA's DaemonSet is in the cluster now."""
    return any(one["metadata"]["name"] == NVIDIA for one in kubernetes.objects("daemonsets", NAMESPACE))


def _manifest(name: str, image: str, tolerations: list[dict[str, Any]], stand_in: str) -> dict[str, Any]:
    labels = {"name": name}
    container: dict[str, Any] = {"name": "nvidia-device-plugin-ctr", "image": image}
    if stand_in:
        container |= {"image": stand_in, "command": ["sleep", "2147483647"], "imagePullPolicy": "IfNotPresent"}
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
                    "containers": [container],
                },
            },
        },
    }
