"""The ground of the simulator: one cluster in this process, with RBAC."""

from __future__ import annotations

import base64
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from multicluster.simulator.clock import SystemClock
from multicluster.simulator.host import Host
from multicluster.simulator.kubernetes import KubernetesCluster, NodeShape, PodDelays, User

from .ground import Ground, Taint

CAPACITY = {"cpu": "2", "memory": "8Gi", "ephemeral-storage": "20Gi"}


class SimulatorCluster:
    """A simulated cluster whose users carry tokens."""

    def __init__(self, cluster: KubernetesCluster, users: dict[str, User]) -> None:
        self._cluster = cluster
        self._users = users

    def kubeconfig(self, user: str, groups: tuple[str, ...]) -> dict[str, Any]:
        """Make the identity known and return a kubeconfig with its token."""
        token = f"token-of-{user}"
        self._users[token] = User(name=user, groups=groups)
        authority = base64.b64encode(self._cluster.ca_pem).decode()
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": user}}],
            "clusters": [
                {"name": "c", "cluster": {"server": self._cluster.url, "certificate-authority-data": authority}}
            ],
            "users": [{"name": user, "user": {"token": token}}],
        }

    def add_node(self, name: str, gpus: int, labels: Mapping[str, str], taints: Iterable[Taint]) -> None:
        """Let a ready node join."""
        capacity = {**CAPACITY, **({"nvidia.com/gpu": str(gpus)} if gpus else {})}
        self._cluster.add_node(name, NodeShape(labels=labels, taints=taints, capacity=capacity, ready=True))

    def remove_node(self, name: str) -> None:
        """Let a node vanish."""
        self._cluster.remove_node(name)


@contextmanager
def simulator() -> Iterator[Ground]:
    """Start a simulated cluster with one node."""
    users: dict[str, User] = {}
    folder = Path(tempfile.mkdtemp(prefix="conformance-simulator-"))
    host = Host()
    cluster = KubernetesCluster(
        "conformance",
        host=host,
        clock=SystemClock(),
        root=folder,
        authenticate=users.get,
        delays=PodDelays(),
        rbac=True,
    )
    cluster.start()
    ground = Ground(SimulatorCluster(cluster, users), folder)
    try:
        cluster.add_node("cpu", NodeShape(capacity=CAPACITY, ready=True))
        yield ground
    finally:
        ground.close()
        cluster.stop()
        host.stop()
        shutil.rmtree(folder, ignore_errors=True)
