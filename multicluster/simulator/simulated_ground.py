"""Put clusters into the process of the world itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from multicluster.simulator.kubernetes.cluster import KubernetesCluster

if TYPE_CHECKING:
    from pathlib import Path

    from multicluster.simulator.clock import Clock
    from multicluster.simulator.faults import Faults
    from multicluster.simulator.host import Host
    from multicluster.simulator.kubernetes.delays import PodDelays
    from multicluster.simulator.verification import Judge


@dataclass(kw_only=True)
class SimulatedGround:
    """Simulated API servers and kubelets; every fault of the catalogue can strike."""

    clock: Clock
    root: Path
    delays: PodDelays
    faults: Faults
    version: str
    unable: dict[str, str] = field(default_factory=dict)

    def start(self, host: Host, name: str, judge: Judge, *, rbac: bool) -> KubernetesCluster:
        """Start a simulated cluster."""
        cluster = KubernetesCluster(
            name,
            host=host,
            clock=self.clock,
            root=self.root,
            authenticate=judge.authenticate,
            delays=self.delays,
            faults=self.faults,
            rbac=rbac,
            version=self.version,
        )
        cluster.start()
        return cluster

    def stop(self) -> None:
        """Do nothing: each cluster takes its own folder away."""
