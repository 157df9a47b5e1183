"""One run of one task with its pod, as it is seen from outside."""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_stage.waiting import PATIENCE, until

from endings_stage.canaries import SECRET
from endings_stage.script import Script
from multicluster.simulator.kubernetes.nodes import NodeShape

if TYPE_CHECKING:
    from collections.abc import Callable

    from endings_stage.line import Line
    from endings_stage.stage import Stage

OVER = ("success", "failed")
FINISHED = (*OVER, "skipped")
WORKING = ("Pending", "Running")
HURRY_SECONDS = 20
"""How long others wait for a play whose pod does not come."""
GRACE_SECONDS = 45
"""How long after its task a pod may take to end."""
SWEPT_SECONDS = 240
"""The same for one that the reaper ends: it comes every twenty seconds, sees it twice, and starts slowly."""


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How it ended."""

    state: str
    """The task's, in Airflow's words."""
    run: str
    tries: int
    made: int
    """How many pods there were in all."""
    working: tuple[str, ...]
    """Pods that go on although the task is over: orphans."""
    left: tuple[str, ...]
    """Pods that are still there, whatever they do."""
    phases: str
    """What became of them, in one word each."""
    seconds: float
    """From the run's start to the end of the task and its pods."""
    story: str
    """The end of the task's log, of all tries and triggers."""

    @property
    def row(self) -> tuple[str, ...]:
        """What of it stands in the report."""
        return self.state, self.run, str(self.tries), str(self.made), self.phases, f"{self.seconds:.0f}"


class Play:
    """A script in one mode. Methods that wait raise TimeoutError with what was there."""

    def __init__(self, stage: Stage, script: Script, mode: str) -> None:
        self.stage = stage
        self.script = script
        self.mode = mode
        self.dag_id = f"{script.name}-{mode}"
        self.namespace = self.dag_id
        self.line: Line | None = stage.new_line(script.cluster) if script.line else None
        self.place = self.dag_id if script.own else script.cluster
        """The name of its cluster in the world."""
        self.cluster = self.dag_id if script.line else self.place
        """The same in the registry."""
        self.kubernetes = stage.world.entrances[self.place].kubernetes
        self.ending: Ending | None = None
        """How it ended; None before."""
        self.seen: list[str] = []
        """What a deed has found out."""
        self._started = 0.0
        self._gate = stage.root / f"{self.dag_id}.released"

    def document(self) -> dict[str, Any]:
        """Describe it to the DAG file."""
        script = self.script
        pause = "echo works; sleep 1" if script.line else "sleep 1"
        """A line that is slow or cut is one on which something goes."""
        selector = {"endings": self.dag_id} if script.nodes else {"multicluster.dev/system": "true"}
        return {
            "dag_id": self.dag_id,
            "operator": script.operator,
            "cluster": self.cluster,
            "command": f"echo begun; until test -e {self._gate}; do {pause}; done; {script.then}; echo finished",
            "options": {
                "namespace": self.namespace,
                "deferrable": self.mode == "deferrable",
                "node_selector": selector,
                **script.options,
            },
        }

    def prepare(self) -> None:
        """Make its namespace and its nodes, and do what is to be done before."""
        self.kubernetes.create("namespaces", {"metadata": {"name": self.namespace}})
        self.kubernetes.create("secrets", SECRET, self.namespace)
        for number in range(self.script.nodes):
            name = f"{self.dag_id}-{number}"
            labels = {"endings": self.dag_id, "kubernetes.io/hostname": name}
            capacity = {"cpu": "2", "memory": "4Gi", "pods": "10"}
            self.kubernetes.add_node(name, NodeShape(labels=labels, capacity=capacity, ready=True))
        if self.script.before is not None:
            self.script.before(self)

    def perform(self) -> Ending:
        """Start the run, do the deed, and see how it ends."""
        with self.stage.few_at_a_time:
            self.start()
            with contextlib.suppress(TimeoutError):
                self.until(lambda: self.pods or self.asked or self.over, "the first pod", HURRY_SECONDS)
        if self.script.deed is not None:
            self.script.deed(self)
        return self.end()

    def start(self) -> None:
        """Start the run."""
        self._started = time.monotonic()
        self.stage.api.run(self.dag_id)

    def until(self, condition: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
        """Block until a condition is truthy, and return it."""
        try:
            return until(
                lambda: self.stage.closed or condition(), f"{what} of {self.dag_id}", patience=patience, pace=0.5
            )
        except TimeoutError as error:
            error.add_note(self.story())
            raise

    def story(self) -> str:
        """Say where it stands, with the end of its log, for whoever looks for the cause of a failure."""
        lines = [json.loads(line) for line in self.log().splitlines() if line.startswith("{")]
        told = [
            f"{one.get('timestamp', '')[11:23]} {one['event']}"
            + "".join(f"\n    {why['exc_type']}: {why['exc_value'][:600]}" for why in one.get("error_detail") or ())
            for one in lines
        ]
        stand = f"{self.dag_id}: task {self.state}, try {self.task.get('try_number')}, pods {self.pods}; log:"
        return "\n".join([stand, *(line[:1500] for line in told[-60:])])

    @property
    def task(self) -> dict[str, Any]:
        """The task instance, as the REST API tells of it."""
        return self.stage.tasks().get(self.dag_id, {})

    @property
    def state(self) -> str:
        return str(self.task.get("state"))

    @property
    def pods(self) -> dict[str, str]:
        """Phase of each pod by name."""
        return self.stage.pods().get(self.namespace, {})

    @property
    def asked(self) -> bool:
        """Whether a pod was asked for at an API server that takes its time for it."""
        return self.stage.world.faults.struck(self.fault("create pods")) > 0

    @property
    def laid(self) -> Line:
        """The line to its cluster. Raises ValueError where it has none."""
        if self.line is None:
            raise ValueError(f"{self.dag_id} has no line")
        return self.line

    def fault(self, operation: str) -> str:
        """Return the name under which what strikes an operation is counted."""
        return f"{self.dag_id}: {operation}"

    @property
    def working(self) -> tuple[str, ...]:
        """Pods that work, or will."""
        return tuple(sorted(name for name, phase in self.pods.items() if phase in WORKING))

    def waiting(self) -> str:
        """Block until the pod runs and the task waits for it, in its mode's way; returns the pod's name."""
        self.until(lambda: self.rests, "the waiting")
        if self.over:
            raise RuntimeError(f"the task is over before its pod was seen at work\n{self.story()}")
        return next(name for name, phase in self.pods.items() if phase == "Running")

    @property
    def rests(self) -> bool:
        """Whether the pod runs and the task waits for it, or all is over already."""
        state = "deferred" if self.mode == "deferrable" else "running"
        return self.over or self._rests(state)

    def _rests(self, state: str) -> bool:
        if self.state != state or "Running" not in self.pods.values():
            return False
        log = self.log(int(self.task["try_number"]))
        if state == "deferred":
            return " starting" in log  # said of the trigger
        return "begun" in log or "Pod has reached Running phase" in log  # a second try does not repeat the pod's lines

    def release(self) -> None:
        """Let the pod come to its end."""
        self._gate.touch()

    def release_later(self) -> None:
        """Let the pod come to its end once a second try waits for one, or the run is over without."""
        self.until(lambda: self.task.get("try_number", 0) > 1 or self.over, "a second try")
        if not self.over:
            self.waiting()
            self.release()

    def release_after(self, name: str) -> None:
        """Let pods other than *name* come to their end once there is one, or the run is over without."""
        self.until(lambda: self.over or set(self.working) - {name}, "another pod")
        self.release()

    @property
    def over(self) -> bool:
        return self.stage.runs().get(self.dag_id) in OVER

    def core(self) -> Any:
        """Return a client of the cluster's API, an administrator's."""
        import kubernetes.client
        import kubernetes.config

        config = kubernetes.client.Configuration()
        kubernetes.config.load_kube_config(
            str(self.stage.root / "kubeconfig"), context=self.place, client_configuration=config
        )
        return kubernetes.client.CoreV1Api(kubernetes.client.ApiClient(config))

    def end(self) -> Ending:
        """Block until the run is over, and say how."""
        self.until(lambda: self.over and self.state in FINISHED, "the end", self.script.patience)
        with contextlib.suppress(TimeoutError):  # told by what is said of them
            patience = SWEPT_SECONDS if self.script.swept else GRACE_SECONDS
            self.until(lambda: not self.working, "the end of its pods", patience)
        self.ending = Ending(
            state=self.state,
            run=self.stage.runs()[self.dag_id],
            tries=int(self.task["try_number"]),
            made=len(self.stage.made[self.namespace]),
            working=self.working,
            left=tuple(sorted(self.pods)),
            phases=", ".join(sorted(self.pods.values())) or "gone",
            seconds=time.monotonic() - self._started,
            story=self.story(),
        )
        return self.ending

    def log(self, number: int | None = None) -> str:
        """Return what was logged so far, in one try or in all."""
        folder: Path = self.stage.deployment.home / "logs" / f"dag_id={self.dag_id}"
        files = sorted(folder.rglob("*.log*" if number is None else f"attempt={number}.log*"))
        return "\n".join(file.read_text(errors="replace") for file in files if file.is_file())
