"""Write into a task's log why its pod has not started, once for each reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_multicluster.documents import document_of, event_of
from airflow_multicluster.start_facts import StartFacts
from multicluster.pods.never_ran import never_ran
from multicluster.pods.reading import condition
from multicluster.pods.why_not_started import why_not_started

if TYPE_CHECKING:
    from multicluster.pods.source import Document
    from multicluster.pods.why import Why

KEPT_EVENTS = 200


class StartTold:
    """What is known of one pod while it starts. Does not block; *log* is the task's."""

    def __init__(self, log: Any, *, base: str) -> None:
        self._log = log
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
