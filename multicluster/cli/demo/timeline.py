"""Turn what happens into lines that a person reads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from multicluster.cli.demo.cloud_watch import CloudEvent
from multicluster.cli.demo.scenarios import CLUSTERS

MARKS = {"running": "▶", "success": "✔", "failed": "✘", "skipped": "-", "deferred": "◌", "cloud": "☁", "pod": "│",
         "note": "·", "fault": "⚡", "say": " "}  # fmt: skip
ASCII_MARKS = {"running": ">", "success": "+", "failed": "x", "skipped": "-", "deferred": "~", "cloud": "@",
               "pod": "|", "note": ".", "fault": "!", "say": " "}  # fmt: skip
STYLES = {"running": "bold", "success": "green", "failed": "bold red", "skipped": "dim", "deferred": "magenta",
          "cloud": "cyan", "pod": "", "note": "dim", "fault": "bold yellow", "say": "dim"}  # fmt: skip
SUBJECT = re.compile(r"^(cluster '[^']*': )?node pool '[^']*'( on cluster '[^']*':)? ")
"""What a finding begins with, and the line's lane says already."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of the timeline. *at* is seconds since the start; *mark* is a key of MARKS."""

    at: float
    lane: str
    """Whose news it is: a cluster, ``airflow`` or ``world``."""
    mark: str
    text: str


class Timeline:
    """Knows when each task began, and what was said last; gives at most one line for each event."""

    def __init__(self) -> None:
        self._began: dict[str, float] = {}
        self._notes: dict[str, str] = {}
        self.doing = ""
        """What goes on at the moment, for a line that is rewritten in place."""

    def cloud(self, at: float, event: CloudEvent) -> Line:
        """Tell what happened in a cloud."""
        return Line(at=at, lane=event.cluster, mark="cloud", text=event.text)

    def airflow(self, at: float, event: Mapping[str, Any]) -> Line | None:
        """Tell what the Airflow process told."""
        task = str(event.get("task", ""))
        group, _, step = task.partition(".")
        lane = CLUSTERS.get(group, "airflow")
        match event["kind"]:
            case "phase":
                self.doing = str(event["text"])
                return Line(at=at, lane="airflow", mark="say", text=str(event["text"]))
            case "task":
                return self._task(at, lane, task, step or task, event)
            case "line":
                return Line(at=at, lane=lane, mark="pod", text=str(event["text"]).rstrip())
            case "deferred":
                return Line(at=at, lane=lane, mark="deferred", text=f"{step or task} waits in a trigger")
            case "note":
                return self._note(at, lane, task, str(event["text"]))
        return None

    def _task(self, at: float, lane: str, task: str, step: str, event: Mapping[str, Any]) -> Line | None:
        state = str(event["state"])
        if state == "running":
            self.doing = task
            if task in self._began:
                return None  # back from its trigger
            self._began[task] = at
            return Line(at=at, lane=lane, mark="running", text=step)
        took = at - self._began.get(task, at)
        reason = first_line(str(event.get("error") or ""))
        return Line(at=at, lane=lane, mark=state, text=f"{step}  {took:.1f} s" + (f"  {reason}" if reason else ""))

    def _note(self, at: float, lane: str, task: str, text: str) -> Line | None:
        text = SUBJECT.sub("", first_line(text))
        self.doing = f"{task}: {text}"
        if self._notes.get(task) == text:
            return None
        self._notes[task] = text
        return Line(at=at, lane=lane, mark="note", text=text)


def first_line(text: str) -> str:
    """Return the first line that says something."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")
