"""The kubelets of all nodes of a cluster: one worker for each pod bound to a node."""

from __future__ import annotations

import asyncio
import logging
import shutil

from multicluster.simulator.kubernetes.documents import Document, at, name_of, namespace_of, uid_of
from multicluster.simulator.kubernetes.kubelet.container_start import pod_folder
from multicluster.simulator.kubernetes.kubelet.log_buffer import LogBuffer
from multicluster.simulator.kubernetes.kubelet.node_services import NodeServices
from multicluster.simulator.kubernetes.kubelet.records import ContainerRecord
from multicluster.simulator.kubernetes.kubelet.worker import Ending, PodWorker
from multicluster.simulator.kubernetes.resources import NODES, PODS
from multicluster.simulator.kubernetes.store import Change

_log = logging.getLogger(__name__)


class Kubelet:
    """Starts, ends and forgets pods as the store tells. Lives on one event loop."""

    def __init__(self, services: NodeServices) -> None:
        self._services = services
        self._workers: dict[str, PodWorker] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._lost: set[str] = set()
        services.store.subscribe(self._changed)

    def record(self, pod: Document, container: str) -> ContainerRecord | None:
        """Return what is known of a container of a pod, while the pod exists."""
        worker = self._workers.get(uid_of(pod))
        return worker.record(container) if worker is not None else None

    def log(self, pod: Document, container: str, *, previous: bool) -> LogBuffer | None:
        """Return the output of a container's present or previous start."""
        record = self.record(pod, container)
        if record is None:
            return None
        return record.previous_log if previous else record.log

    def node_lost(self, node: str) -> None:
        """Kill what runs on a node that has vanished. Nobody is left there to report it."""
        for uid, worker in list(self._workers.items()):
            if worker.node == node:
                worker.lose()
                del self._workers[uid]
                self._lost.add(uid)

    async def stop(self) -> None:
        """End all pods at once and leave no process and no folder behind."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._services.processes.stop()
        await asyncio.to_thread(shutil.rmtree, self._services.folder, ignore_errors=True)

    def _changed(self, change: Change) -> None:
        if change.resource is not PODS:
            return
        uid = uid_of(change.document)
        worker = self._workers.get(uid)
        if change.type == "DELETED":
            self._lost.discard(uid)
            if worker is not None:
                del self._workers[uid]
                worker.kill()
        elif worker is None and uid not in self._lost:
            self._consider(change.document)
        elif worker is not None and "deletionTimestamp" in change.document["metadata"]:
            grace = int(change.document["metadata"].get("deletionGracePeriodSeconds") or 0)
            worker.end(Ending(grace=grace))
        elif worker is not None:
            worker.set_deadline(change.document["spec"].get("activeDeadlineSeconds"))

    def _consider(self, pod: Document) -> None:
        node = at(pod, "spec", "nodeName")
        if not node or at(pod, "status", "phase") in ("Succeeded", "Failed"):
            return
        if self._services.store.find(NODES, "", node) is None or "deletionTimestamp" in pod["metadata"]:
            return
        worker = self._workers[uid_of(pod)] = PodWorker(self._services, pod)
        task = asyncio.ensure_future(self._run(worker, pod))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, worker: PodWorker, pod: Document) -> None:
        try:
            await worker.run()
        except Exception:  # noqa: BLE001 - one bad pod must not silence the others; it is logged
            _log.exception("the worker of pod %s/%s failed", namespace_of(pod), name_of(pod))
        current = self._services.store.find(PODS, namespace_of(pod), name_of(pod))
        if current is not None and uid_of(current) == uid_of(pod) and not worker.lost:
            if "deletionTimestamp" in current["metadata"]:
                self._services.deletion.pod_stopped(current)
        elif current is None or uid_of(current) != uid_of(pod):
            await asyncio.to_thread(shutil.rmtree, pod_folder(self._services, pod), ignore_errors=True)
