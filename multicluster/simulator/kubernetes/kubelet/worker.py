"""One pod's life on its node, from the binding to the last exit code."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from multicluster.simulator.kubernetes.documents import Document
from multicluster.simulator.kubernetes.kubelet import volumes
from multicluster.simulator.kubernetes.kubelet.container_life import ContainerLife
from multicluster.simulator.kubernetes.kubelet.container_start import pod_folder
from multicluster.simulator.kubernetes.kubelet.node_services import NodeServices
from multicluster.simulator.kubernetes.kubelet.pod_report import PodReport
from multicluster.simulator.kubernetes.kubelet.records import ContainerRecord
from multicluster.simulator.kubernetes.kubelet.references import MissingReferenceError

_DEADLINE = "Pod was active on the node longer than the specified deadline"


@dataclass(frozen=True, kw_only=True)
class Ending:
    """Why a pod is being ended from outside, and how many seconds its containers have."""

    grace: float
    reason: str = ""
    message: str = ""


class PodWorker:
    """Runs the containers of one pod."""

    def __init__(self, services: NodeServices, pod: Document) -> None:
        self._services = services
        self._report = PodReport(services, pod)
        self._ending: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        self._sidecars: list[asyncio.Task[bool]] = []
        self._started = services.clock.now()
        self._deadline: float | None = None
        self._timer: asyncio.Task[None] | None = None
        self._lives = {record.name: ContainerLife(services, self._report, record) for record in self._report.records}

    @property
    def node(self) -> str:
        """The node the pod is on."""
        return str(self._report.pod["spec"]["nodeName"])

    @property
    def _grace(self) -> float:
        return float(self._report.pod["spec"].get("terminationGracePeriodSeconds", 30))

    @property
    def lost(self) -> bool:
        """Whether the node has vanished under the pod."""
        return self._report.silent

    def record(self, container: str) -> ContainerRecord | None:
        """Return what is known of a container."""
        return next((record for record in self._report.records if record.name == container), None)

    def end(self, ending: Ending) -> None:
        """End the pod from outside. The first reason stands; `kill` is faster."""
        if not self._ending.done():
            self._ending.set_result(ending)

    def lose(self) -> None:
        """Kill its processes and report nothing any more: the node has vanished."""
        self._report.silent = True
        self.kill()

    def kill(self) -> None:
        """End all its processes at once."""
        self.end(Ending(grace=0))
        for record in self._report.records:
            if record.running is not None:
                record.running.kill()

    async def run(self) -> None:
        """Live the pod's life; returns when no container runs any more and none will be started."""
        life = asyncio.ensure_future(self._live())
        ending = asyncio.shield(self._ending)
        self.set_deadline(self._report.pod["spec"].get("activeDeadlineSeconds"))
        waits: set[asyncio.Future[Any]] = {life, ending}
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            if not life.done():
                life.cancel()
                await asyncio.wait({life})
                await self._stop(ending.result())
            else:
                life.result()
        except Exception as error:
            message = f"the simulator failed to run this pod: {error!r}"
            self._report.force(phase="Failed", reason="SimulatorError", message=message)
            self._report.publish()
            raise
        finally:
            self._stop_timer()
            for task in {*waits, *self._sidecars}:
                task.cancel()
            self.kill()

    def set_deadline(self, seconds: float | None) -> None:
        """Let the pod be ended so many seconds after its start; an API server lets that be moved forward."""
        if seconds is None or seconds == self._deadline:
            return
        self._deadline = seconds
        self._stop_timer()
        passed = (self._services.clock.now() - self._started).total_seconds()
        self._timer = asyncio.ensure_future(self._time_out(max(seconds - passed, 0)))

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    async def _time_out(self, seconds: float) -> None:
        await self._services.clock.sleep(seconds)
        self._report.warn("DeadlineExceeded", _DEADLINE)
        self.end(Ending(grace=self._grace, reason="DeadlineExceeded", message=_DEADLINE))

    async def _live(self) -> None:
        report = self._report
        report.force(startTime=report.now, hostIP="127.0.0.1", hostIPs=[{"ip": "127.0.0.1"}])
        report.publish()
        await self._mount()
        await self._services.clock.sleep(self._services.delays.start)
        report.force(podIP="127.0.0.1", podIPs=[{"ip": "127.0.0.1"}])
        report.publish()
        for record in report.records:
            if record.role == "init" and not await self._lives[record.name].keep():
                return
            if record.role == "sidecar":
                self._sidecars.append(asyncio.ensure_future(self._lives[record.name].keep()))
                await self._lives[record.name].started.wait()
        mains = [record for record in report.records if record.role == "main"]
        for record in mains:
            record.state = {"waiting": {"reason": "ContainerCreating"}}
        await asyncio.gather(*(self._lives[record.name].keep() for record in mains))
        await self._stop_sidecars()

    async def _stop_sidecars(self) -> None:
        """End the sidecars, the last first, each within what is left of the pod's grace period."""
        for task in self._sidecars:
            task.cancel()
        for record in reversed(self._report.records):
            if record.role == "sidecar":
                await self._lives[record.name].stop(self._grace)
        self._report.publish()

    async def _mount(self) -> None:
        while True:
            try:
                volumes.prepare(self._services, self._report.pod, pod_folder(self._services, self._report.pod))
            except MissingReferenceError as error:
                self._report.warn("FailedMount", str(error))
                await self._services.clock.sleep(self._services.delays.config_retry)
            else:
                return

    async def _stop(self, ending: Ending) -> None:
        for task in self._sidecars:
            task.cancel()
        if ending.reason:
            self._report.force(phase="Failed", reason=ending.reason, message=ending.message)
        await asyncio.gather(*(life.stop(ending.grace) for life in self._lives.values()))
        self._report.publish()
