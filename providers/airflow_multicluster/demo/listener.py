"""Hear from Airflow which task starts and how it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.listeners import hookimpl

if TYPE_CHECKING:
    from airflow_multicluster.demo.events import Events


class TaskListener:
    """Tell each state that a task takes; ``current`` is the task that runs now."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self.current = ""

    @hookimpl
    def on_task_instance_running(self, task_instance: Any) -> None:
        """Tell that a task starts, or comes back from a trigger."""
        self.current = task_instance.task_id
        self._events.tell("task", task=task_instance.task_id, state="running")

    @hookimpl
    def on_task_instance_success(self, task_instance: Any) -> None:
        """Tell that a task succeeded."""
        self._events.tell("task", task=task_instance.task_id, state="success")

    @hookimpl
    def on_task_instance_failed(self, task_instance: Any, error: Any) -> None:
        """Tell that a task failed, and why."""
        self._events.tell("task", task=task_instance.task_id, state="failed", error=str(error or ""))

    @hookimpl
    def on_task_instance_skipped(self, task_instance: Any) -> None:
        """Tell that a task skipped itself."""
        self._events.tell("task", task=task_instance.task_id, state="skipped")
