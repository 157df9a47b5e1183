"""What every pod worker of a cluster shares."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from multicluster.simulator.clock import Clock
from multicluster.simulator.kubernetes.delays import PodDelays
from multicluster.simulator.kubernetes.deletion import Deletion
from multicluster.simulator.kubernetes.events import EventRecorder
from multicluster.simulator.kubernetes.kubelet.images import Images
from multicluster.simulator.kubernetes.kubelet.processes import Processes
from multicluster.simulator.kubernetes.service_accounts import ServiceAccountTokens
from multicluster.simulator.kubernetes.store import Store


@dataclass(kw_only=True)
class NodeServices:
    """Store, clock, events, processes and images of one cluster's nodes."""

    store: Store
    clock: Clock
    delays: PodDelays
    events: EventRecorder
    deletion: Deletion
    processes: Processes
    images: Images
    tokens: ServiceAccountTokens
    folder: Path
    pulled: set[tuple[str, str]] = field(default_factory=set)
