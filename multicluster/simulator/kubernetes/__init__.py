"""The Kubernetes half of the world: API server, scheduler, kubelets and a few controllers, per cluster."""

from __future__ import annotations

from multicluster.simulator.kubernetes.cluster import KubernetesCluster
from multicluster.simulator.kubernetes.delays import PodDelays
from multicluster.simulator.kubernetes.gpu_seconds import GpuSeconds
from multicluster.simulator.kubernetes.kubelet.images import Image, Images
from multicluster.simulator.kubernetes.nodes import NodeShape
from multicluster.simulator.kubernetes.status import ApiError
from multicluster.simulator.kubernetes.users import User

__all__ = [
    "ApiError",
    "GpuSeconds",
    "Image",
    "Images",
    "KubernetesCluster",
    "NodeShape",
    "PodDelays",
    "User",
]
