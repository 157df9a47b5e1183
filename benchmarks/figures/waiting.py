"""Deferred pods: what it costs to wait for them, and how soon their end is heard.

Anchors: the stock trigger with a token that never changes, and EksPodTrigger, which runs a command for each request and
is therefore asked for a few pods only. The API servers are in a process of their own. All pods run, and nothing changes
while cost is measured; then they end, evenly spread over some seconds. Bars stand where issue 5 sets them: at 1,000
pods. Seven minutes on two idle cores.
"""

from __future__ import annotations

import os
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psutil
from peer import Peer
from row import Row, shown, within
from world_client import world_client

SIZES = tuple(int(size) for size in os.environ.get("WAITING_SIZES", "10,100,1000").split(","))
CLUSTERS = tuple(int(number) for number in os.environ.get("WAITING_CLUSTERS", "1,10").split(","))
EKS_AT_MOST = 10
"""Pods for which EksPodTrigger is measured: it takes half a core for each."""
LARGE = 1000
"""The size at which the bars stand."""
KINDS = {"stock": "KubernetesPodTrigger", "eks": "EksPodTrigger"}
FIGURES = (
    ("CPU in steady state", "% of a core", "cpu", 5),
    ("event loop lag p99", "ms", "lag", 10),
    ("end to event p99", "s", "delay", 1),
    ("connections per cluster and namespace", "connections", "connections", 2),
    ("connections per cluster and namespace while triggers start", "connections", "connections_at_start", None),
    ("requests per pod-minute", "requests", "requests", None),
    ("memory", "MB", "memory", None),
)
"""What is measured of triggers, and the bar at 1,000 pods."""
Sample = dict[str, float]


@dataclass(kw_only=True)
class Connections:
    """The most connections to the API servers that were open at one look, by server."""

    most: dict[int, int] = field(default_factory=dict)

    def so_far(self) -> int:
        """Return the most that one server has had since this was last asked."""
        most, self.most = self.most, {}
        return max(most.values(), default=0)

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
    with world_client(found, "waiting_triggers.py", kind) as triggers:
        pods, connections = world.ask("fill", size), Connections()
        with connections.of(triggers.pid, found["ports"]):
            triggers.ask("start", pods, found["kubeconfig"])
            time.sleep(5 + size / 80)  # the stock triggers' first looks take so long
            at_start, before = connections.so_far(), world.ask("count")
            sample: Sample = triggers.ask("measure", 6 + size / 125)
            sample["requests"] = (world.ask("count") - before) / size / (sample.pop("wall") / 60)
            triggers.tell("finish", 30)
            ends = world.ask("end", max(2, size / 100))
            heard = triggers.hear()
        given_up = time.monotonic()
    delays = sorted(heard["events"].get(name, (given_up, ""))[0] - ended for name, ended in ends.items())
    unheard = sum(heard["events"].get(name, (0, ""))[1] != "success" for name in ends)
    return {
        **sample,
        "lag": heard["lag"],
        "connections": connections.so_far(),
        "connections_at_start": at_start,
        "delay": delays[int(size * 0.99)],
        "unheard": unheard,
    }


def _medians(samples: list[Sample]) -> Sample:
    return {key: statistics.median(sample[key] for sample in samples) for key in samples[0]}


def _rows(samples: dict[str, Sample], size: int, clusters: int) -> list[Row]:
    if samples["ours"]["unheard"]:
        raise RuntimeError(f"{samples['ours']['unheard']} of {size} pods ended and our triggers did not hear of it")
    where = f"{size} deferred pods on {clusters} cluster{'s' if clusters > 1 else ''}"
    anchors = [kind for kind in KINDS if kind in samples]
    named = {kind: f"{where}, {{}}, vs {KINDS[kind]}" for kind in anchors}
    return [row for kind in anchors for row in _against(samples["ours"], samples[kind], named[kind], size)]


def _against(ours: Sample, anchor: Sample, named: str, size: int) -> list[Row]:
    rows = []
    for what, unit, key, bar in FIGURES:
        figures = {"ours": ours[key], "anchor": anchor[key]}
        if bar is not None and size >= LARGE:
            rows.append(within(named.format(what), unit, at_most=bar, **figures))
        else:
            rows.append(shown(named.format(what), unit, **figures))
    return rows
