"""The launch of deferrable pods, one after the other: from the start of ``execute`` to the deferral.

Anchors: the stock operator with a kubeconfig and a token that never changes, for each cluster its own file, and
EksPodOperator. The API servers are in a process of their own, on the same machine: there is no network between.

Measured twice. *In one process* the first pod on each cluster does not count, so that ours has its clients; the stock
operator makes a client for each task whatever came before. *A process for each* is what Airflow's executors do: each
pod is launched by a fork of a process that knows the DAG file and Airflow's own modules, and nothing is warm.
Issue 5 sets the bar on the launch and says nothing of processes: it stands at both. CPU is the launching process's
own, neither that of the API servers nor that of the command that EksPodOperator starts. Four minutes on two idle cores.
"""

from __future__ import annotations

import os
import statistics

from peer import Peer
from row import Row, faster, shown
from world_client import world_client

CLUSTERS = 10
LAUNCHED = int(os.environ.get("LAUNCHED", "500"))
FORKED = 50
"""Pods that are launched from a process each: the median says enough of them."""
EKS_AT_MOST = 4
"""Pods for which EksPodOperator is measured: it takes more than a second for each."""
LAUNCHERS = {"stock": "KubernetesPodOperator", "eks": "EksPodOperator"}
AT_LEAST = 3
Sample = dict[str, float]


def measure(repeat: int) -> list[Row]:
    """Measure both ways, the kinds in turns."""
    warm = _medians("launch", LAUNCHED, repeat)
    cold = _medians("launch_apart", FORKED, repeat)
    one = f"launch of {LAUNCHED} pods over {CLUSTERS} clusters, in one process"
    each = f"launch of {FORKED} pods over {CLUSTERS} clusters, a process for each"
    return [*_rows(one, warm), *_rows(each, cold)]


def _medians(command: str, pods: int, repeat: int) -> dict[str, Sample]:
    rounds = [_round(command, pods) for _ in range(repeat)]
    return {
        kind: {key: statistics.median(one[kind][key] for one in rounds) for key in first}
        for kind, first in rounds[0].items()
    }


def _round(command: str, pods: int) -> dict[str, Sample]:
    """Launch so many pods of each kind in one world; it lives for one round, as a peer lives for minutes only."""
    taken: dict[str, Sample] = {}
    with Peer("waiting_world.py", str(CLUSTERS)) as world:
        found = world.hear()
        for kind in ("stock", "eks", "ours"):
            world.ask("fill", 0)
            number = min(pods, EKS_AT_MOST) if kind == "eks" else pods
            with world_client(found, "waiting_launch.py", kind) as launcher:
                launcher.ask("prepare", number, found["names"], found["kubeconfig"])
                if command == "launch":
                    launcher.ask("warm")
                before = world.ask("count")
                taken[kind] = launcher.ask(command)
                taken[kind]["requests"] = (world.ask("count") - before) / number
    return taken


def _rows(named: str, taken: dict[str, Sample]) -> list[Row]:
    ours, rows = taken["ours"], []
    for kind, anchor in LAUNCHERS.items():
        per, other = f"{named}, {{}} per pod, vs {anchor}", taken[kind]
        rows.append(faster(per.format("time"), "ms", ours=ours["wall"], anchor=other["wall"], at_least=AT_LEAST))
        rows.append(shown(per.format("CPU"), "ms", ours=ours["cpu"], anchor=other["cpu"]))
        rows.append(shown(per.format("requests"), "requests", ours=ours["requests"], anchor=other["requests"]))
    return rows
