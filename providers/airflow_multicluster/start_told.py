"""Write into a task's log why its pod has not started, once for each reason."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from airflow_multicluster.documents import document_of, event_of
from airflow_multicluster.start_facts import StartFacts
from multicluster.pods.never_ran import never_ran
from multicluster.pods.reading import at, condition
from multicluster.pods.why_image import secret_in_doubt
from multicluster.pods.why_not_started import why_not_started

if TYPE_CHECKING:
    from multicluster.pods.source import Document
    from multicluster.pods.why import Why

KEPT_EVENTS = 200
EVENTS_AFTER = 5.0
"""Seconds that a pod may stand on its node, neither started nor heard of, until its events are asked for."""


class StartTold:
    """What is known of one pod while it starts. Does not block; *log* is the task's."""

    def __init__(self, log: Any, *, base: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._clock = clock
        self._placed_at: float | None = None
        self._asked: set[str] = set()
        self._base = base
        self._events: dict[str, Document] = {}
        self._facts = StartFacts()
        self._said: set[str] = set()
        self.pod: Document = {}
        self.why: Why | None = None

    def see(self, model: Any) -> None:
        """Take note of the pod's state."""
        self.pod = document_of(model)

    def hear(self, model: Any) -> None:
        """Take note of an event; told again, it counts anew."""
        self._events[str(model.metadata.uid or model.metadata.name)] = event_of(model)
        while len(self._events) > KEPT_EVENTS:
            del self._events[next(iter(self._events))]

    @property
    def unscheduled(self) -> bool:
        """Whether no node takes the pod, so that nodes and cloud have to be asked for a good answer."""
        return condition(self.pod, "PodScheduled").get("reason") == "Unschedulable"

    @property
    def in_doubt(self) -> bool:
        """Whether what there is to tell may be wrong for want of an event."""
        return secret_in_doubt(self.pod, self._events.values())

    def events_wanted_in(self) -> float | None:
        """Return in how many seconds to ask for its events, which nobody listens to; None where there is no need."""
        if "secret" not in self._asked and self.in_doubt:
            return 0.0
        placed = at(self.pod, "spec", "nodeName") and at(self.pod, "status", "phase") == "Pending"
        if self._events or self._asked or not placed:
            return None
        now = self._clock()
        self._placed_at = now if self._placed_at is None else self._placed_at
        return max(0.0, self._placed_at + EVENTS_AFTER - now)

    def wants_events(self) -> bool:
        """Whether it is time to ask for them; true once for each cause."""
        if self.events_wanted_in() != 0:
            return False
        self._asked.add("secret" if self.in_doubt else "placed")
        return True

    def judge(self, facts: StartFacts | None = None) -> None:
        """Find out why the pod has not started, and say so where it is news."""
        self._facts = facts or self._facts
        try:
            self.why = self._why()
        except Exception:  # noqa: BLE001 - the pod may start all the same
            self._log.warning("Why the pod has not started cannot be told", exc_info=True)
            self.why = None
        if self.why is not None and self.why.trouble and self.why.same not in self._said:
            self._said.add(self.why.same)
            self._log.warning("Pod %s has not started: %s", self.pod["metadata"]["name"], self.why)

    def _why(self) -> Why | None:
        events, facts = self._events.values(), self._facts
        return why_not_started(self.pod, events=events, nodes=facts.nodes, cloud=facts.cloud)

    @property
    def last_word(self) -> str:
        """Why it never started, in the end; empty where it did, or nothing is known."""
        return never_ran(self.pod, base=self._base) or str(self.why or "")
