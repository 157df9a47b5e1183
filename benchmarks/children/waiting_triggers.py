"""Run triggers on one event loop, as a triggerer does: KIND is ``stock``, ``eks`` or ``ours``.

Reads commands, one JSON a line: ``start`` with the pods and a kubeconfig, ``measure`` with seconds, ``finish`` with
seconds; answers each with a line. The lag is that from the beginning of ``measure`` to the end. Times are seconds of
the machine's monotonic clock.
"""

from __future__ import annotations

import asyncio
import copy
import json
import logging
import os
import sys
import time
from datetime import UTC, datetime
from typing import Any

import psutil

logging.disable(logging.ERROR)
SAMPLE_SECONDS = 0.02


def trigger(kind: str, cluster: str, name: str, kubeconfig: dict[str, Any]) -> Any:
    """Return the trigger of one pod; all with the stock operator's defaults."""
    options: dict[str, Any] = {
        "pod_name": name,
        "pod_namespace": "default",
        "base_container_name": "base",
        "trigger_start_time": datetime.now(UTC),
        "startup_timeout": 900,
        "schedule_timeout": 900,
    }
    if kind == "ours":
        from airflow_multicluster.triggers.pod import ClusterPodTrigger

        return ClusterPodTrigger(cluster=cluster, **options)
    if kind == "eks":
        from airflow.providers.amazon.aws.triggers.eks import EksPodTrigger

        return EksPodTrigger(
            eks_cluster_name=cluster, region="us-east-1", in_cluster=False, connection_extras={}, **options
        )
    from airflow.providers.cncf.kubernetes.triggers.pod import KubernetesPodTrigger

    config = copy.deepcopy(kubeconfig)
    config["current-context"] = next(one["name"] for one in config["contexts"] if one["context"]["cluster"] == cluster)
    return KubernetesPodTrigger(config_dict=config, in_cluster=False, connection_extras={}, **options)


class Triggers:
    """The triggers, and when each had its event."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.tasks: list[asyncio.Task[None]] = []
        self.events: dict[str, tuple[float, str]] = {}
        self.lags: list[float] = []

    async def start(self, pods: list[tuple[str, str]], kubeconfig: dict[str, Any]) -> int:
        """Start them all."""
        made = [trigger(self.kind, cluster, name, kubeconfig) for cluster, name in pods]
        self.tasks = [asyncio.create_task(self._run(one)) for one in made]
        return len(self.tasks)

    async def measure(self, seconds: float) -> dict[str, float]:
        """Watch this process for a while: CPU in percent of a core (with commands it runs), and memory."""
        sampling = asyncio.create_task(self._sample())
        began, before = time.monotonic(), _cpu_seconds()
        await asyncio.sleep(seconds)
        spent, wall = _cpu_seconds() - before, time.monotonic() - began
        self.tasks.append(sampling)
        return {"cpu": 100 * spent / wall, "memory": psutil.Process().memory_info().rss / 1e6, "wall": wall}

    async def finish(self, seconds: float) -> dict[str, Any]:
        """Wait for the events."""
        *waiting, sampling = self.tasks
        await asyncio.wait(waiting, timeout=seconds)
        for task in (*waiting, sampling):
            task.cancel()
        return {"events": self.events, "lag": 1000 * sorted(self.lags)[int(len(self.lags) * 0.99)]}

    async def _sample(self) -> None:
        while True:
            due = time.monotonic() + SAMPLE_SECONDS
            await asyncio.sleep(SAMPLE_SECONDS)
            self.lags.append(max(0.0, time.monotonic() - due))

    async def _run(self, one: Any) -> None:
        async for event in one.run():
            self.events[one.pod_name] = (time.monotonic(), event.payload["status"])


def _cpu_seconds() -> float:
    return time.process_time() + sum(os.times()[2:4])


async def main() -> None:
    """Obey until standard input ends."""
    triggers = Triggers(sys.argv[1])
    while line := await asyncio.to_thread(sys.stdin.readline):
        command, *arguments = json.loads(line)
        print(json.dumps(await getattr(triggers, command)(*arguments)), flush=True)


asyncio.run(main())
