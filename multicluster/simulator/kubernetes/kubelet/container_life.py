"""One container's life: started, ended, started again where its pod says so."""

from __future__ import annotations

import asyncio
import uuid

from multicluster.simulator.kubernetes.documents import Document, at
from multicluster.simulator.kubernetes.kubelet.container_start import StartError, place_of, start, termination_log
from multicluster.simulator.kubernetes.kubelet.image_pull import pull
from multicluster.simulator.kubernetes.kubelet.log_buffer import LogBuffer
from multicluster.simulator.kubernetes.kubelet.node_services import NodeServices
from multicluster.simulator.kubernetes.kubelet.pod_report import PodReport
from multicluster.simulator.kubernetes.kubelet.records import ContainerRecord
from multicluster.simulator.kubernetes.kubelet.references import MissingReferenceError
from multicluster.simulator.kubernetes.kubelet.running import Place

_MESSAGE_BYTES, _MESSAGE_LINES, _MESSAGE_LOG_BYTES = 4096, 80, 2048
_START_FAILED = 128
_NEVER = "1970-01-01T00:00:00Z"


class ContainerLife:
    """Moves one container's record from state to state, reporting each."""

    def __init__(self, services: NodeServices, report: PodReport, record: ContainerRecord) -> None:
        self._services = services
        self._report = report
        self._record = record
        self.started = asyncio.Event()

    async def keep(self) -> bool:
        """Run the container, again where the restart policy says so; return whether its last run succeeded."""
        record, policy = self._record, str(self._report.pod["spec"].get("restartPolicy"))
        if record.role == "sidecar":
            policy = "Always"
        elif record.role == "init" and policy == "Always":
            policy = "OnFailure"
        failures = 0
        while True:
            await self.begin()
            if record.running is not None:
                self._note_end(await record.running.wait())
                self._report.publish()
            if policy == "Never" or (policy == "OnFailure" and record.succeeded):
                return record.succeeded
            await self._back_off(failures)
            failures += 1

    async def begin(self) -> None:
        """Bring the container to run, or to a terminated state where its command cannot start."""
        record = self._record
        await pull(self._services, self._report, record)
        place = await self._configure()
        record.container_id = uuid.uuid4().hex
        record.previous_log = record.log
        started = self._report.now
        try:
            record.running = await start(self._services, record.spec, place)
        except StartError as error:
            record.log = LogBuffer(self._services.clock.now)
            record.log.close()
            record.state = {"terminated": self._terminated(_START_FAILED, _NEVER, "StartError", str(error))}
            self._report.warn("Failed", f"Error: {error}", record)
            self._report.publish()
            return
        record.log = record.running.log
        record.state = {"running": {"startedAt": started}}
        self.started.set()
        self._report.say("Created", "Container created", record)
        self._report.say("Started", "Container started", record)
        self._report.publish()

    async def stop(self, grace: float) -> None:
        """End the container if it runs."""
        record = self._record
        if record.running is not None and record.terminated is None:
            self._report.say("Killing", f"Stopping container {record.name}", record)
            self._note_end(await record.running.stop(grace))

    async def _back_off(self, failures: int) -> None:
        """Wait before the next start: not at all before the first, then twice as long each time."""
        record, delays = self._record, self._services.delays
        record.last_state = record.state
        if failures == 0:
            record.restarts += 1
            record.state = {"waiting": {"reason": "ContainerCreating"}}
            return
        seconds = min(delays.max_backoff, delays.restart_backoff * 2 ** (failures - 1))
        where = self._report.where
        message = f"back-off {seconds:g}s restarting failed container={record.name} pod={where}"
        record.state = {"waiting": {"reason": "CrashLoopBackOff", "message": message}}
        self._report.warn("BackOff", f"Back-off restarting failed container {record.name} in pod {where}", record)
        self._report.publish()
        await self._services.clock.sleep(seconds)
        record.restarts += 1

    async def _configure(self) -> Place:
        while True:
            try:
                return place_of(self._services, self._report.pod, self._record.spec)
            except MissingReferenceError as error:
                self._record.state = {"waiting": {"reason": "CreateContainerConfigError", "message": str(error)}}
                self._report.warn("Failed", f"Error: {error}", self._record)
                self._report.publish()
                await self._services.clock.sleep(self._services.delays.config_retry)

    def _note_end(self, code: int) -> None:
        record = self._record
        started = at(record.state, "running", "startedAt", default=self._report.now)
        reason = "Completed" if code == 0 else "Error"
        if record.running is not None and record.running.out_of_memory:
            reason = "OOMKilled"
        record.running = None
        record.state = {"terminated": self._terminated(code, started, reason, "")}

    def _terminated(self, code: int, started: str, reason: str, message: str) -> Document:
        message = message or self._message(code)
        return {
            "exitCode": code,
            "reason": reason,
            **({"message": message} if message else {}),
            "startedAt": started,
            "finishedAt": self._report.now,
            "containerID": f"simulator://{self._record.container_id}",
        }

    def _message(self, code: int) -> str:
        record = self._record
        file = termination_log(self._services, self._report.pod, record.spec)
        data = file.read_bytes()[:_MESSAGE_BYTES] if file.exists() else b""
        if not data and code and record.spec.get("terminationMessagePolicy") == "FallbackToLogsOnError":
            lines = record.log.since(record.log.tail(_MESSAGE_LINES)) if record.log is not None else []
            data = b"".join(line.data for line in lines)[-_MESSAGE_LOG_BYTES:]
        return data.decode(errors="replace")
