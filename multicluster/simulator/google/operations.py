"""Run GKE's operations: one at a time for each cluster, the rest refused."""

from __future__ import annotations

import asyncio
import datetime as dt
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from multicluster.simulator.google.errors import GoogleError, failed_precondition

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from multicluster.simulator.google.clusters import GkeCluster

LOCKED = "CLUSTER_ALREADY_HAS_OPERATION"


@dataclass(kw_only=True)
class Operation:
    """A long-running operation and its end."""

    name: str
    kind: str
    target: str
    cluster: GkeCluster
    started: dt.datetime
    ended: dt.datetime | None = None
    error: tuple[int, str] | None = None
    task: asyncio.Task[None] | None = None

    def describe(self) -> dict[str, Any]:
        """Write the operation as operations.get does."""
        place = f"projects/{self.cluster.project}/locations/{self.cluster.location}"
        view: dict[str, Any] = {
            "name": self.name,
            "operationType": self.kind,
            "status": "RUNNING" if self.ended is None else "DONE",
            "selfLink": f"https://container.googleapis.com/v1/{place}/operations/{self.name}",
            "targetLink": f"https://container.googleapis.com/v1/{self.target}",
            "startTime": self.started.isoformat(),
            "zone": self.cluster.location,
            "location": self.cluster.location,
        }
        if self.ended is not None:
            view["endTime"] = self.ended.isoformat()
        if self.error is not None:
            view["error"] = {"code": self.error[0], "message": self.error[1]}
            view["statusMessage"] = self.error[1]
        return view


class Operations:
    """Keep all operations of a world."""

    def __init__(self, now: Callable[[], dt.datetime]) -> None:
        self.now = now
        self.all: dict[str, Operation] = {}

    def running(self, cluster: GkeCluster) -> Operation | None:
        """Return the operation a cluster is busy with."""
        return next((op for op in self.all.values() if op.cluster is cluster and op.ended is None), None)

    def check_free(self, cluster: GkeCluster) -> None:
        """Refuse when the cluster is busy."""
        busy = self.running(cluster)
        if busy is not None:
            raise failed_precondition(f"Cluster is running incompatible operation {busy.name}.", LOCKED)

    def start(
        self, cluster: GkeCluster, kind: str, target: str, work: Coroutine[Any, Any, tuple[int, str] | None]
    ) -> Operation:
        """Run work as an operation; what it returns is the operation's error."""
        name = f"operation-{int(self.now().timestamp() * 1000)}-{secrets.token_hex(4)}-{secrets.token_hex(4)}"
        operation = Operation(name=name, kind=kind, target=target, cluster=cluster, started=self.now())
        self.all[name] = operation
        operation.task = asyncio.get_running_loop().create_task(self._run(operation, work))
        return operation

    async def _run(self, operation: Operation, work: Coroutine[Any, Any, tuple[int, str] | None]) -> None:
        operation.error = await work
        operation.ended = self.now()

    def find(self, project: str, location: str, name: str) -> Operation:
        """Return an operation or refuse."""
        found = self.all.get(name)
        if found is None or (found.cluster.project, found.cluster.location) != (project, location):
            raise GoogleError(404, f"Not found: projects/{project}/locations/{location}/operations/{name}.")
        return found
