"""Serve EKS clusters with pods that only have a state; commands and answers are JSON, one a line.

``fill`` puts so many running pods in the place of those before, ``count`` tells the requests so far, ``end`` lets all
pods succeed within so many seconds and tells when each did, in seconds of the machine's monotonic clock.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from multicluster.simulator import Delays, World
from multicluster.simulator.kubernetes.resources import PODS

LABELS = {"kubernetes_pod_operator": "True"}
ENVIRONMENT = [{"name": f"VARIABLE_{number}", "value": "value" * 6} for number in range(20)]
SPEC = {"schedulerName": "nobody", "containers": [{"name": "base", "image": "acme/train:1", "env": ENVIRONMENT}]}
STARTED = "2026-11-21T12:00:00Z"
RUNNING = {"running": {"startedAt": STARTED}}
DONE = {"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": STARTED, "finishedAt": STARTED}}


class Stage:
    """The clusters, and the pods on them in turn."""

    def __init__(self, world: World) -> None:
        self.clusters = {name: entrance.kubernetes for name, entrance in world.entrances.items()}
        self.pods: list[tuple[str, str]] = []

    def fill(self, pods: int) -> list[tuple[str, str]]:
        """Make the pods."""
        for cluster in self.clusters.values():
            for pod in cluster.objects("pods"):
                if pod["metadata"]["namespace"] == "default":
                    cluster.delete("pods", pod["metadata"]["name"])
        names = list(self.clusters)
        self.pods = [(names[number % len(names)], f"train-{time.monotonic_ns()}") for number in range(pods)]
        for cluster, name in self.pods:
            self.clusters[cluster].create("pods", {"metadata": {"name": name, "labels": LABELS}, "spec": SPEC})
            self._set(cluster, name, "Running", RUNNING)
        return self.pods

    def count(self) -> int:
        """Count the requests."""
        return sum(cluster.requests.total() for cluster in self.clusters.values())

    def end(self, seconds: float) -> dict[str, float]:
        """Let the pods succeed, evenly spread."""
        ends, began = {}, time.monotonic()
        for number, (cluster, name) in enumerate(self.pods):
            time.sleep(max(0, began + seconds * number / len(self.pods) - time.monotonic()))
            ends[name] = time.monotonic()
            self._set(cluster, name, "Succeeded", DONE)
        return ends

    def _set(self, cluster: str, name: str, phase: str, state: dict[str, Any]) -> None:
        """Write what a kubelet would report."""

        def mutation(document: dict[str, Any]) -> None:
            known = {"name": "base", "image": "acme/train:1", "imageID": "", "ready": True, "restartCount": 0}
            document["status"] |= {"phase": phase, "containerStatuses": [{**known, "state": state}]}

        kubernetes: Any = self.clusters[cluster]
        kubernetes._run(lambda: kubernetes._store.change(PODS, "default", name, mutation))  # noqa: SLF001


with World(delays=Delays.none()) as world:
    for number in range(int(sys.argv[1])):
        world.add_eks(f"gpu-{number}", "us-east-1")
    ports = [int(entrance.kubernetes.url.rsplit(":", 1)[1]) for entrance in world.entrances.values()]
    found = {"environment": world.env(), "registry": world.registry(), "kubeconfig": world.kubeconfig()}
    print(json.dumps({**found, "ports": ports, "names": list(world.entrances)}), flush=True)
    stage = Stage(world)
    for line in sys.stdin:
        command, *arguments = json.loads(line)
        print(json.dumps(getattr(stage, command)(*arguments)), flush=True)
