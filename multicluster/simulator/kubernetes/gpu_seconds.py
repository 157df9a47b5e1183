"""How long GPUs were on offer, and how long they were in use."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import NamedTuple, Protocol

from multicluster.simulator.kubernetes.documents import Document, at, name_of, uid_of
from multicluster.simulator.kubernetes.quantities import Quantities, is_gpu, node_allocatable, pod_requests
from multicluster.simulator.kubernetes.resources import NODES, PODS
from multicluster.simulator.kubernetes.store import Change


class GpuSeconds(NamedTuple):
    """GPU-seconds of one node: two GPUs for three seconds are six."""

    advertised: float
    busy: float


class Changes(Protocol):
    """Where objects change: a store, or a copy of one."""

    def subscribe(self, listener: Callable[[Change], None]) -> None:
        """Call a function after every change."""


class GpuAccounting:
    """Adds up, node by node, the GPUs advertised and those held by running pods. Nodes that are gone stay listed."""

    def __init__(self, store: Changes, now: Callable[[], dt.datetime]) -> None:
        self._now = now
        self._since = now()
        self._totals: dict[str, GpuSeconds] = {}
        self._advertised: dict[str, float] = {}
        self._held: dict[str, tuple[str, float]] = {}
        store.subscribe(self._changed)

    def totals(self) -> dict[str, GpuSeconds]:
        """Return the sums up to now, for every node that ever advertised a GPU."""
        self._advance()
        return dict(self._totals)

    def _changed(self, change: Change) -> None:
        document, gone = change.document, change.type == "DELETED"
        if change.resource is NODES:
            gpus = 0.0 if gone else _gpus(node_allocatable, document)
            if gpus != self._advertised.get(name_of(document), 0.0):
                self._advance()
                self._advertised[name_of(document)] = gpus
        elif change.resource is PODS:
            running = not gone and at(document, "status", "phase") == "Running"
            gpus = _gpus(pod_requests, document) if running else 0.0
            if gpus != self._held.get(uid_of(document), ("", 0.0))[1]:
                self._advance()
                self._held[uid_of(document)] = (at(document, "spec", "nodeName", default=""), gpus)
            if gone:
                self._held.pop(uid_of(document), None)

    def _advance(self) -> None:
        now = self._now()
        seconds = (now - self._since).total_seconds()
        self._since = now
        for node, gpus in self._advertised.items():
            if not gpus:
                continue
            busy = sum(held for place, held in self._held.values() if place == node)
            total = self._totals.get(node, GpuSeconds(0.0, 0.0))
            self._totals[node] = GpuSeconds(total.advertised + seconds * gpus, total.busy + seconds * busy)


def _gpus(read: Callable[[Document], Quantities], document: Document) -> float:
    try:
        amounts = read(document)
    except (KeyError, TypeError, ValueError):
        return 0.0  # an unreadable object offers and holds nothing
    return float(sum(amount for name, amount in amounts.items() if is_gpu(name)))
