"""As much of Airflow as decides whether a bracket's tasks run: scheduler, workers, triggerer, and how each may die.

What a task does is not modelled here, and neither is what our provider's operators do beyond calling the core: a task
is a function that runs in a process, and that may put itself off to the triggerer.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from matrix.process import KilledError, Process
from matrix.virtual_time import VirtualTime
from multicluster.errors import CredentialError, MulticlusterError

FINAL = frozenset({"success", "failed", "upstream_failed", "skipped"})
HEARTBEAT = 300.0
"""Seconds after which the scheduler takes a task whose worker is silent for dead."""
TRIGGERER_BACK = 60.0
"""Seconds after which a dead triggerer's triggers are another's."""


class FailNowError(Exception):
    """AirflowFailException: the task failed, and no retry helps."""


@dataclass
class PutOff(Exception):  # noqa: N818 - TaskDeferred is no error either
    """TaskDeferred: let *wait* run in the triggerer, then go on with *resume* and what it returned."""

    wait: Callable[[Process], Any]
    resume: Callable[[Process, Any], Any]


@dataclass(kw_only=True, eq=False)
class Task:
    """One task of a run. ``rule`` is its trigger rule: all_success or all_done."""

    name: str
    body: Callable[[Process], Any]
    upstream: tuple[str, ...] = ()
    rule: str = "all_success"
    retries: int = 0
    may_fail: bool = False
    """Whether it is to fail though nothing goes wrong."""
    state: str = ""
    tries: int = 0
    process: Process | None = None
    put_off: PutOff | None = None


@dataclass(kw_only=True, eq=False)
class Run:
    """A DAG run with one bracket. ``memory`` is what its tasks wrote into the database (XCom)."""

    dag: str
    id: str
    tasks: dict[str, Task]
    state: str = "running"
    ended_at: float | None = None
    disturbed: str = ""
    """Which person's deed, or which end of Airflow's, keeps it from ending by itself; empty where none does."""
    memory: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.dag}/{self.id}"


class Airflow:
    """A deployment. Everything waits while its scheduler is down; ``gone`` says that it never comes back."""

    def __init__(self, time: VirtualTime, chance: random.Random, told: Callable[[str, str], None]) -> None:
        self.time, self.chance, self.told = time, chance, told
        self.runs: dict[tuple[str, str], Run] = {}
        self.up, self.triggerer_up = True, True
        self.gone = False
        self.reported: list[tuple[str, str]] = []
        """Tasks that failed, by name, and why: what a person sees in red."""
        self.unexpected: list[str] = []
        self.on_start: Callable[[Process, Run, str], None] = lambda _process, _run, _role: None
        self.on_end: Callable[[Run], None] = lambda _run: None
        self.on_success: Callable[[Run, Task], None] = lambda _run, _task: None
        self._number = 0

    def add(self, run: Run) -> None:
        """Let a run begin."""
        self.runs[run.dag, run.id] = run
        self.told("scheduler", f"{run.name} begins")
        self.consider(run)

    def consider(self, run: Run) -> None:
        """Let the scheduler look at a run soon."""
        self.time.after(self.chance.uniform(0.5, 4), lambda: self._decide(run))

    def die(self, *, back_after: float | None) -> None:
        """Kill everything: scheduler, triggerer and all workers; back after so many seconds, or never."""
        self.up = self.triggerer_up = False
        self.gone = back_after is None
        for run in self.runs.values():
            for task in run.tasks.values():
                if task.process:
                    task.process.kill()
        if back_after is not None:
            self.time.after(back_after, self._come_back)

    def kill_triggerer(self) -> None:
        """Kill the triggerer; another takes its triggers over in a while."""
        self.triggerer_up = False
        for _, task in self._tasks("deferred"):
            if task.process:
                task.process.kill()
        self.time.after(TRIGGERER_BACK, self._triggerer_back)

    def stop_scheduler(self, seconds: float) -> None:
        """Kill the scheduler; workers go on."""
        self.up = False
        self.time.after(seconds, self._come_back)

    def end(self, run: Run, state: str, why: str) -> None:
        """End a run from outside: whatever runs is killed, whatever has not begun is skipped, teardowns too."""
        run.disturbed = why
        for task in run.tasks.values():
            if task.process:
                task.process.kill()
            task.put_off = None
            if task.state not in FINAL:
                task.state = "skipped"
        self._end(run, state)

    def clear(self, run: Run, names: Iterable[str]) -> None:
        """Let tasks run again; those that run are killed first."""
        run.disturbed = "cleared"
        for name in names:
            task = run.tasks[name]
            if task.process:
                task.process.kill()
            task.state, task.tries, task.put_off, task.process = "", 0, None, None
        run.state, run.ended_at = "running", None
        self.consider(run)

    def _come_back(self) -> None:
        if self.gone or self.up:
            return
        self.told("scheduler", "is back")
        self.up = True
        self._triggerer_back()
        for run, task in self._tasks("running"):
            if task.process is None or task.process.over:
                self.time.after(HEARTBEAT, lambda run=run, task=task: self._lost(run, task, task.process))
        for run in self.runs.values():
            self.consider(run)

    def _triggerer_back(self) -> None:
        if self.triggerer_up or not self.up:
            return
        self.triggerer_up = True
        for run, task in self._tasks("deferred"):
            self._wait(run, task)

    def _tasks(self, state: str) -> list[tuple[Run, Task]]:
        return [(run, task) for run in self.runs.values() for task in run.tasks.values() if task.state == state]

    def _decide(self, run: Run) -> None:
        if not self.up or run.state != "running" or self.runs.get((run.dag, run.id)) is not run:
            return
        for task in run.tasks.values():
            if task.state in {"", "retry"}:
                self._decide_task(run, task)
        states = {task.state for task in run.tasks.values()}
        if states <= FINAL:
            self._end(run, "failed" if states & {"failed", "upstream_failed"} else "success")

    def _decide_task(self, run: Run, task: Task) -> None:
        before = [run.tasks[name].state for name in task.upstream]
        if task.rule == "all_done":
            if all(state in FINAL for state in before):
                self._begin(run, task, task.body)
        elif any(state in FINAL and state != "success" for state in before):
            task.state = "upstream_failed"
            self.consider(run)
        elif all(state == "success" for state in before):
            self._begin(run, task, task.body)

    def _begin(self, run: Run, task: Task, body: Callable[[Process], Any], *, again: bool = False) -> None:
        task.state, task.put_off = "running", None
        task.tries += not again
        self._start(run, task, body, role="worker", ended=self._worker_ended)

    def _start(self, run: Run, task: Task, body: Callable[[Process], Any], *, role: str, ended: Any) -> None:
        self._number += 1
        process = Process(f"{run.name}.{task.name}#{self._number}", self.time, lambda: body(process))
        task.process = process
        self.on_start(process, run, role)
        process.ended.append(lambda process: ended(run, task, process))
        process.stands_still = lambda seconds: self._stands_still(run, task, process, seconds)
        process.start()

    def _wait(self, run: Run, task: Task) -> None:
        put_off = task.put_off
        if put_off is not None and self.triggerer_up and task.state == "deferred":
            self._start(run, task, put_off.wait, role="trigger", ended=self._trigger_ended)

    def _trigger_ended(self, run: Run, task: Task, process: Process) -> None:
        if task.process is not process:
            return
        if isinstance(process.error, KilledError):
            if self.triggerer_up:  # a trigger does not die alone
                self.kill_triggerer()
            return
        put_off = task.put_off
        assert put_off is not None
        error, found = process.error, process.result
        if error is not None:
            self._failed(run, task, error)
            return
        self._soon(lambda: self._resume(run, task, process, put_off, found))

    def _stands_still(self, run: Run, task: Task, process: Process, seconds: float) -> None:
        """Take a process that is silent for long for dead, and put another in its place; it dies when it notices."""
        if seconds <= HEARTBEAT:
            return
        self.time.after(HEARTBEAT, lambda: self._lost(run, task, process))
        self.time.after(HEARTBEAT, lambda: self._wait(run, task) if task.process is process else None)
        self.time.after(seconds + 10, process.kill)

    def _resume(self, run: Run, task: Task, process: Process, put_off: PutOff, found: Any) -> None:
        if not self.up:
            self.time.after(30, lambda: self._gone_or(lambda: self._resume(run, task, process, put_off, found)))
        elif task.process is process and task.state == "deferred":
            self._begin(run, task, lambda process: put_off.resume(process, found), again=True)

    def _worker_ended(self, run: Run, task: Task, process: Process) -> None:
        if task.process is not process or task.state != "running":
            return
        error = process.error
        if error is None:
            task.state = "success"
            self.on_success(run, task)
            self.consider(run)
        elif isinstance(error, PutOff):
            task.state, task.put_off = "deferred", error
            self._soon(lambda: self._wait(run, task) if task.put_off is error else None)
        elif isinstance(error, KilledError):
            self.time.after(self.chance.choice((5.0, HEARTBEAT)), lambda: self._lost(run, task, process))
        else:
            self._failed(run, task, error)

    def _lost(self, run: Run, task: Task, process: Process | None) -> None:
        """Note that a task's process died, once the scheduler can."""
        if task.process is not process or task.state != "running":
            return
        if self.up:
            self._failed(run, task, KilledError("the process died"))
        else:
            self.time.after(60, lambda: self._gone_or(lambda: self._lost(run, task, process)))

    def _failed(self, run: Run, task: Task, error: BaseException) -> None:
        hopeless = isinstance(error, FailNowError) or (
            isinstance(error, MulticlusterError) and not error.transient and not isinstance(error, CredentialError)
        )
        if not isinstance(error, (FailNowError, MulticlusterError, KilledError, TimeoutError)):
            self.unexpected.append(f"{run.name}.{task.name}: {type(error).__name__}: {error}")
        self.told(task.name, f"{run.name} failed: {type(error).__name__}: {str(error)[:300]}")
        task.process = None
        if not hopeless and task.tries <= task.retries:
            task.state = "waiting for retry"
            self.time.after(self.chance.uniform(10, 120), lambda: self._retry(run, task))
            return
        task.state = "failed"
        self.reported.append((f"{run.name}.{task.name}", str(error)))
        self.consider(run)

    def _retry(self, run: Run, task: Task) -> None:
        if task.state == "waiting for retry":
            task.state = "retry"
            self.consider(run)

    def _soon(self, act: Callable[[], None]) -> None:
        self.time.after(self.chance.uniform(0.2, 2), act)

    def _gone_or(self, act: Callable[[], None]) -> None:
        if not self.gone:
            act()

    def _end(self, run: Run, state: str) -> None:
        run.state, run.ended_at = state, self.time.seconds
        self.told("scheduler", f"{run.name} is {state}: {', '.join(f'{t.name} {t.state}' for t in run.tasks.values())}")
        self.on_end(run)
