"""Say how long the clouds of a world take."""

from __future__ import annotations

from dataclasses import dataclass, field

from multicluster.simulator.kubernetes.delays import PodDelays


@dataclass(frozen=True, kw_only=True)
class Delays:
    """Seconds of each step of a node group's life, and of a pod's start. The defaults suit a demo a person watches."""

    create: float = 0.4
    """From the create call to the first launched instance."""
    node_join: float = 0.4
    """From launch to a node that is registered, NotReady and tainted."""
    node_ready: float = 0.4
    """From registered to Ready, the startup taint gone."""
    gpu_ready: float = 0.6
    """From Ready to the device plugin advertising the GPUs."""
    drain: float = 0.5
    """From the delete call to the nodes leaving."""
    delete: float = 1.0
    """From the nodes leaving to the group and its instances being gone."""
    capacity_retry: float = 0.5
    """Between two launches that fail; Auto Scaling itself waits a minute or more."""
    capacity_timeout: float = 6.0
    """From the first failed launch to CREATE_FAILED; 33 to 38 minutes on EKS, about 35 on GKE."""
    join_timeout: float = 6.0
    """How long a node that never turns Ready is waited for; 15 minutes on EKS."""
    scale_idle: float = 60.0
    """How long a GKE node stays idle before its autoscaler takes it away; 10 minutes in reality. Long enough for the
    pods of a pool that was just found ready."""
    autoscaler: float = 0.2
    """Between two looks of GKE's autoscaler at the pending pods."""
    schedule_retry: float = 1.0
    """Between two attempts of EventBridge Scheduler at a target that refuses."""
    operation: float = 0.3
    """A GKE operation that moves no node."""
    pods: PodDelays = field(default_factory=PodDelays)
    """The steps of a pod's life, the same in every cluster."""

    @classmethod
    def none(cls) -> Delays:
        """Take no time, for tests; what polls keeps a pace, and what waits in vain does so for a second."""
        return cls(
            create=0, node_join=0, node_ready=0, gpu_ready=0, drain=0, delete=0, capacity_retry=0.02,
            capacity_timeout=1, join_timeout=1, scale_idle=600, autoscaler=0.05, schedule_retry=0.02, operation=0,
            pods=PodDelays(image_pull=0, start=0),
        )  # fmt: skip

    @classmethod
    def realistic(cls) -> Delays:
        """Take the time that was measured in the real clouds; for worlds on a manual clock."""
        return cls(
            create=45, node_join=40, node_ready=25, gpu_ready=60, drain=120, delete=320, capacity_retry=60,
            capacity_timeout=2100, join_timeout=900, scale_idle=600, autoscaler=10, schedule_retry=60, operation=30,
            pods=PodDelays(image_pull=20, start=1),
        )  # fmt: skip
