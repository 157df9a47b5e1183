"""Deferred pods: what it costs to wait for them, and how soon their end is heard.

Anchors: the stock trigger with a token that never changes, and EksPodTrigger, which runs a command for each request and
is therefore asked for a few pods only. The API servers are in a process of their own; all pods run, nothing changes
while cost is measured; then they end, evenly spread over some seconds.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from fresh import bare_environment
from peer import Peer
from row import Row, no_dearer, within

SIZES = tuple(int(size) for size in os.environ.get("WAITING_SIZES", "10,100,1000").split(","))
CLUSTERS = (1, 10)
EKS_AT_MOST = 10
"""Pods for which EksPodTrigger is measured: it takes half a core for each."""
MEASURE_SECONDS = 20.0
KINDS = {"stock": "KubernetesPodTrigger", "eks": "EksPodTrigger"}
BARS = (
    ("CPU", "% of a core", "cpu", 5),
    ("event loop lag p99", "ms", "lag", 10),
    ("end to event p99", "s", "delay", 1),
    ("connections per cluster", "connections", "connections", 2),
)
Sample = dict[str, float]


@dataclass(kw_only=True)
class Connections:
    """The most connections to the API servers that were open at one look, by server."""

    most: dict[int, int] = field(default_factory=dict)

    @contextmanager
    def of(self, process: int, ports: list[int]) -> Iterator[None]:
        """Look a few times a second, from outside, while the block runs."""
        over = threading.Event()

        def look() -> None:
            watched = psutil.Process(process)
            while not over.wait(0.25):
                remote = [one.raddr.port for one in watched.net_connections("tcp") if one.raddr]
                for port in ports:
                    self.most[port] = max(self.most.get(port, 0), remote.count(port))

        thread = threading.Thread(target=look)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def measure(repeat: int) -> list[Row]:
    """Measure each size on one cluster and on ten."""
    rows: list[Row] = []
    for clusters in CLUSTERS:
        with Peer("waiting_world.py", str(clusters)) as world:
            found = world.hear()
            for size in SIZES:
                kinds = [kind for kind in (*KINDS, "ours") if kind != "eks" or size <= EKS_AT_MOST]
                samples = {kind: _medians([_sample(world, found, kind, size) for _ in range(repeat)]) for kind in kinds}
                rows += _rows(samples, size, clusters)
    return rows


def _sample(world: Peer, found: dict[str, Any], kind: str, size: int) -> Sample:
    with tempfile.TemporaryDirectory(prefix="multicluster-bench-") as home:
        environment = {**bare_environment(home), **found["environment"]}
        if kind == "eks":  # its token names the canonical STS host, see eks_first_reply
            environment.pop("AWS_ENDPOINT_URL_STS")
        registry = Path(home) / "registry.json"
        registry.write_text(json.dumps(found["registry"]))
        environment["MULTICLUSTER_REGISTRY"] = str(registry)
        with Peer("waiting_triggers.py", kind, environment=environment) as triggers:
            return _measured(world, triggers, found, size)


def _measured(world: Peer, triggers: Peer, found: dict[str, Any], size: int) -> Sample:
    triggers.ask("start", world.ask("fill", size), found["kubeconfig"])
    time.sleep(15 + size / 20)  # the stock triggers' first looks take so long
    connections, before = Connections(), world.ask("count")
    with connections.of(triggers.pid, found["ports"]):
        sample: Sample = triggers.ask("measure", MEASURE_SECONDS)
    requests = world.ask("count") - before
    triggers.tell("finish", 60)
    ends = world.ask("end", max(2, size / 100))
    events = triggers.hear()
    given_up = time.monotonic()
    delays = [events.get(name, (given_up, ""))[0] - ended for name, ended in ends.items()]
    sample["requests"] = requests / size / (sample.pop("wall") / 60)
    sample["connections"] = max(connections.most.values(), default=0)
    sample["delay"] = sorted(delays)[int(size * 0.99)]
    sample["unheard"] = sum(events.get(name, (0, ""))[1] != "success" for name in ends)
    return sample


def _medians(samples: list[Sample]) -> Sample:
    return {key: statistics.median(sample[key] for sample in samples) for key in samples[0]}


def _rows(samples: dict[str, Sample], size: int, clusters: int) -> list[Row]:
    if samples["ours"]["unheard"]:
        raise RuntimeError(f"{samples['ours']['unheard']} of {size} pods ended and our triggers did not hear of it")
    where = f"{size} deferred pods on {clusters} cluster{'s' if clusters > 1 else ''}"
    anchors = [kind for kind in KINDS if kind in samples]
    return [row for kind in anchors for row in _against(samples["ours"], samples[kind], where, KINDS[kind])]


def _against(ours: Sample, anchor: Sample, where: str, named: str) -> list[Row]:
    bounded = [
        within(f"{where}, {what}, vs {named}", unit, ours=ours[key], anchor=anchor[key], at_most=at_most)
        for what, unit, key, at_most in BARS
    ]
    requests = no_dearer(
        f"{where}, requests per pod-minute, vs {named}", "requests",
        ours=ours["requests"], anchor=anchor["requests"], at_most=0.1,
    )  # fmt: skip
    memory = no_dearer(f"{where}, memory, vs {named}", "MB", ours=ours["memory"], anchor=anchor["memory"], at_most=1.1)
    return [*bounded, requests, memory]
