"""Deferred pods: what it costs to wait for them, how soon their end is heard, and how fast they are launched.

Anchors: the stock trigger with a token that never changes, and EksPodTrigger, which runs a command for each request and
is therefore asked for a few pods only. The API servers are in a process of their own. All pods run, and nothing changes
while cost is measured; then they end, evenly spread over some seconds. Bars stand where issue 5 sets them: at 1,000
pods, and on the launch. Eight minutes on two idle cores.
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
from row import Row, faster, shown, within

SIZES = tuple(int(size) for size in os.environ.get("WAITING_SIZES", "10,100,1000").split(","))
CLUSTERS = tuple(int(number) for number in os.environ.get("WAITING_CLUSTERS", "1,10").split(","))
LAUNCHED = int(os.environ.get("WAITING_LAUNCHED", "500"))
EKS_AT_MOST = 10
"""Pods for which EksPodTrigger is measured: it takes half a core for each."""
LARGE = 1000
"""The size at which the bars stand."""
KINDS = {"stock": "KubernetesPodTrigger", "eks": "EksPodTrigger"}
LAUNCHERS = {"stock": "KubernetesPodOperator", "eks": "EksPodOperator"}
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
    """Measure each size on one cluster and on ten, and the launch on ten."""
    rows: list[Row] = []
    for clusters in CLUSTERS:
        with Peer("waiting_world.py", str(clusters)) as world:
            found = world.hear()
            for size in SIZES:
                kinds = [kind for kind in (*KINDS, "ours") if kind != "eks" or size <= EKS_AT_MOST]
                samples = {kind: _medians([_sample(world, found, kind, size) for _ in range(repeat)]) for kind in kinds}
                rows += _rows(samples, size, clusters)
            if clusters == CLUSTERS[-1]:
                rows += _launches(world, found, clusters, repeat)
    return rows


@contextmanager
def _child(found: dict[str, Any], script: str, kind: str) -> Iterator[Peer]:
    """Start a child that finds the world's clusters; each kind in its own way."""
    with tempfile.TemporaryDirectory(prefix="multicluster-bench-") as home:
        environment = {**bare_environment(home), **found["environment"]}
        if kind == "eks":  # its token names the canonical STS host, see eks_first_reply
            environment.pop("AWS_ENDPOINT_URL_STS")
        registry = Path(home) / "registry.json"
        registry.write_text(json.dumps(found["registry"]))
        environment["MULTICLUSTER_REGISTRY"] = str(registry)
        with Peer(script, kind, environment=environment) as child:
            yield child


def _sample(world: Peer, found: dict[str, Any], kind: str, size: int) -> Sample:
    with _child(found, "waiting_triggers.py", kind) as triggers:
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


def _launches(world: Peer, found: dict[str, Any], clusters: int, repeat: int) -> list[Row]:
    """Launch one pod after the other, from one process that did so before, as a busy worker does."""
    sizes = {"stock": LAUNCHED, "eks": EKS_AT_MOST, "ours": LAUNCHED}
    taken = {}
    for kind, size in sizes.items():
        samples = []
        for _ in range(repeat):
            world.ask("fill", 0)
            with _child(found, "waiting_launch.py", kind) as launcher:
                samples.append(launcher.ask("launch", size, found["names"], found["kubeconfig"]))
        taken[kind] = statistics.median(samples)
    return [
        faster(
            f"launch of {LAUNCHED} pods over {clusters} clusters, per pod, vs {named}", "ms",
            ours=taken["ours"], anchor=taken[kind], at_least=3,
        )
        for kind, named in LAUNCHERS.items()
    ]  # fmt: skip
