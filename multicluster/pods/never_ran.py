"""Say why the base container of a pod that has failed never ran."""

from __future__ import annotations

from multicluster.pods.reading import at, container_state, one_line, statuses
from multicluster.pods.source import Document


def never_ran(pod: Document | None, *, base: str) -> str:
    """Return one line that says what ended the pod before its base container ran; empty where it did run, or may yet.

    A container that could not be started (its command is not there) is not meant: its end says why.
    """
    if at(pod, "status", "phase") != "Failed":
        return ""
    state = container_state(pod, base)
    if "running" in state or "terminated" in state:
        return ""
    reason = at(pod, "status", "reason")
    if reason:
        message = one_line(at(pod, "status", "message"))
        return f"container {base!r} never ran: {reason}{': ' if message else ''}{message}"
    for name, status in statuses(pod):
        ended = at(status, "state", "terminated") or {}
        if ended.get("exitCode"):
            message = one_line(ended.get("message"))
            said = f": {message}" if message else ""
            why = f"{name} failed with exit code {ended['exitCode']} ({ended.get('reason', 'Error')}){said}"
            return f"container {base!r} never ran: {why}"
    return f"container {base!r} never ran: the pod failed before it"
