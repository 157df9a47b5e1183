"""Read pods and events as the JSON of the API has them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from multicluster.pods.source import Document

_ASSIGNED = "Successfully assigned "


def at(document: Document | None, *path: str) -> Any:
    """Return what stands at a path of fields; None where there is nothing."""
    found: Any = document
    for field in path:
        found = found.get(field) if isinstance(found, dict) else None
    return found


def condition(pod: Document | None, kind: str) -> Document:
    """Return a condition of the pod; empty where it has none."""
    conditions: list[Document] = at(pod, "status", "conditions") or []
    return next((one for one in conditions if one.get("type") == kind), {})


def statuses(pod: Document | None) -> Iterator[tuple[str, Document]]:
    """Yield each container's status with what it is called: ``init container 'fetch'``, in the order they start."""
    for field, word in (("initContainerStatuses", "init container"), ("containerStatuses", "container")):
        for status in at(pod, "status", field) or ():
            yield f"{word} {status.get('name')!r}", status


def container_state(pod: Document | None, name: str) -> Document:
    """Return the state of a main container; empty where it has none."""
    found = (one for one in at(pod, "status", "containerStatuses") or () if one.get("name") == name)
    return at(next(found, None), "state") or {}


def of_pod(events: Iterable[Document], pod: Document | None) -> Sequence[Document]:
    """Return the events of this very pod, the oldest first; an earlier pod of the same name had another uid."""
    uid = at(pod, "metadata", "uid")
    mine = [one for one in events if not uid or at(one, "involvedObject", "uid") in {None, "", uid}]
    return sorted(mine, key=_moment)


def node_of(pod: Document | None, events: Iterable[Document] = ()) -> str:
    """Return the node that the pod was given; empty where it had none."""
    name = at(pod, "spec", "nodeName")
    if name:
        return str(name)
    said = (str(one.get("message")) for one in events if one.get("reason") == "Scheduled")
    return next((words.rpartition(" to ")[2] for words in said if words.startswith(_ASSIGNED)), "")


def one_line(text: Any, *, most: int = 400) -> str:
    """Return the text without line breaks, shortened to *most* characters."""
    words = " ".join(str(text or "").split())
    return words if len(words) <= most else f"{words[: most - 3]}..."


def _moment(event: Document) -> str:
    moment = event.get("lastTimestamp") or event.get("eventTime") or at(event, "metadata", "creationTimestamp") or ""
    return str(moment)[:19]
