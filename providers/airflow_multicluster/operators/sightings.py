"""Remember how a task's pods were last seen: when they are gone, that is what can be learnt of their end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_multicluster.documents import document_of

if TYPE_CHECKING:
    from multicluster.pods.source import Document


class Sightings:
    """The last state of each pod that was read, by name."""

    def __init__(self) -> None:
        self._seen: dict[str, Any] = {}
        self._gone: set[str] = set()
        self.last: dict[str, Document | None] = {}
        """How pods were when they were deleted, of those that this was asked for."""

    def see(self, pod: Any) -> None:
        """Take note of a pod that was read, as a client's model has it."""
        self._seen[pod.metadata.name] = pod

    def miss(self, name: str) -> None:
        """Take note that there is no pod of that name."""
        self._gone.add(name)

    def gone(self, name: str) -> bool:
        """Whether the pod was looked for in vain."""
        return name in self._gone

    def of(self, name: str) -> Document | None:
        """Return the pod as it was last seen."""
        return document_of(self._seen[name]) if name in self._seen else None
