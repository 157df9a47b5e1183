"""Write down how long each pool has lived, by looking at the clouds all the time."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from multicluster.node_pools.lease import Lease

if TYPE_CHECKING:
    from multicluster.simulator import World
    from multicluster.simulator.fleet import NodeGroup

PACE = 0.5
"""Seconds between two looks."""


@dataclass(kw_only=True)
class Stay:
    """One pool, from its making to its end."""

    target: str
    """``cluster/pool``."""
    made: datetime
    seen: datetime
    """When it was there the last time."""
    lease: Lease | None
    """As it was written the last time."""

    @property
    def overstay(self) -> float:
        """Seconds from the end of its lease to its own; less than nothing where it was gone before."""
        return (self.seen - self.lease.expires_at).total_seconds() if self.lease else float("inf")


class Ledger:
    """Look until it is left. Use it as a context manager."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="ledger")
        self.stays: dict[tuple[str, datetime], Stay] = {}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(PACE):
            self._world.host.run(self._look)

    def _look(self) -> None:
        now = datetime.now(UTC)
        for group in self._world.groups.groups.values():
            stay = Stay(target=group.target, made=group.created, seen=now, lease=Lease.from_labels(tags(group)))
            self.stays[group.target, group.created] = stay


def tags(group: NodeGroup) -> dict[str, str]:
    """Return what the cloud has written on a pool."""
    if "gke" in group.settings:
        return dict(group.settings["gke"].config.get("resourceLabels") or {})
    return dict(group.settings["tags"])
