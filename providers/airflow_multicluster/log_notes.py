"""Note on a pod how far its log has been written, and ask for what comes after that.

The note lives as long as the log does, and whoever goes on with the task has the pod at hand: the next triggerer, the
worker after the deferral, the worker of the next try.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from multicluster.pods.log_lines import LogCursor, LogLine, moment

if TYPE_CHECKING:
    from kubernetes.client import models as k8s

NOTE = "log.airflow-multicluster/"
"""Annotations of this prefix and a container's name."""


def noted_cursor(pod: k8s.V1Pod, container: str) -> LogCursor | None:
    """Return what is noted on the pod as it was read."""
    return LogCursor.parse((pod.metadata.annotations or {}).get(NOTE + container))


def note(container: str, cursor: LogCursor) -> dict[str, Any]:
    """Return the body of the PATCH that notes it."""
    return {"metadata": {"annotations": {NOTE + container: str(cursor)}}}


def told(pod: k8s.V1Pod, cursor: LogCursor) -> str:
    """Return what travels in the place of ``last_log_time``: whose log it is, and how far that is written."""
    return f"{pod.metadata.uid} {cursor}"


def heard(pod: k8s.V1Pod, text: object) -> LogCursor | None:
    """Read what ``told`` wrote; None for anything else, and for another pod's, which had the task before this one."""
    uid, _, cursor = text.partition(" ") if isinstance(text, str) else ("", "", "")
    return LogCursor.parse(cursor) if uid == str(pod.metadata.uid) else None


def log_request(
    pod: k8s.V1Pod, container: str, cursor: LogCursor | None, *, follow: bool = False
) -> tuple[tuple[str, str, dict[str, str], list[tuple[str, str]], dict[str, str]], dict[str, Any]]:
    """Return the arguments of ``ApiClient.call_api``, sync or async; ``read_namespaced_pod_log`` has no sinceTime.

    The API server hands the kubelet whole seconds, and the kubelet compares them with the lines' own time stamps: no
    other clock is asked.
    """
    path = {"name": pod.metadata.name, "namespace": pod.metadata.namespace}
    query = [("container", container), ("timestamps", "true")]
    if follow:
        query.append(("follow", "true"))
    if cursor is not None:
        query.append(("sinceTime", cursor.since_time))
    call = ("/api/v1/namespaces/{namespace}/pods/{name}/log", "GET", path, query, {"Accept": "*/*"})
    return call, {"auth_settings": ["BearerToken"], "_preload_content": False, "_return_http_data_only": True}


def gap(container: str, line: LogLine) -> str | None:
    """Return what to say where lines are missing before this one."""
    if line.gone_since is None:
        return None
    return (
        f"Container {container}: lines between {moment(line.gone_since)} and {moment(line.time)} may be missing: "
        "the kubelet has rotated them away (containerLogMaxSize, 10 MiB by default) before they were read"
    )
