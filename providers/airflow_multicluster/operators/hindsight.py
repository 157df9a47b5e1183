"""See how a pod was when it was deleted.

What a pod says of its end (the condition DisruptionTarget) goes with it, and where it was evicted by the API no event
tells of it. But API servers keep what happened for a while: a watch from an earlier version tells it again.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

from kubernetes.client import ApiException
from urllib3.exceptions import HTTPError

from multicluster.pods.reading import at
from multicluster.pods.source import BOOKMARK, DELETED

if TYPE_CHECKING:
    from kubernetes.client import CoreV1Api

    from multicluster.pods.source import Document

STEPS = (100_000, 10_000, 1_000, 100, 30, 10)
"""How many versions back a watch is tried: versions count the cluster's writes (KEP-5504 lets them be compared)."""
TIMEOUT = (5, 10)
_GONE = 410
_log = logging.getLogger(__name__)


def as_it_was_deleted(client: CoreV1Api, name: str, namespace: str, *, seen: Document | None) -> Document | None:
    """Return the pod's last state; *seen*, as it was seen last, where the API server has forgotten or refuses."""
    selector = f"metadata.name={name}"
    try:
        now = client.list_namespaced_pod(namespace, field_selector=selector, limit=1).metadata.resource_version
        for version in _versions(at(seen, "metadata", "resourceVersion"), now):
            told = _told_since(client, namespace, selector, version)
            if told is not None:
                uid = at(seen, "metadata", "uid")
                mine = [pod for pod in told if uid in {None, at(pod, "metadata", "uid")}]
                return mine[-1] if mine else seen
    except (ApiException, HTTPError, ValueError) as error:
        _log.info("What became of pod %s cannot be asked for: %s", name, error)
    return seen


def _versions(seen: str | None, now: str) -> Iterator[str]:
    if seen:
        yield seen
    if now.isdigit():
        yield from dict.fromkeys(str(max(1, int(now) - step)) for step in STEPS)


def _told_since(client: CoreV1Api, namespace: str, selector: str, version: str) -> list[Document] | None:
    """Return the states of the pod after *version*, up to its deletion; None where history does not go so far back."""
    try:
        answer: Any = client.list_namespaced_pod(
            namespace,
            field_selector=selector,
            resource_version=version,
            watch=True,
            timeout_seconds=1,
            _preload_content=False,
            _request_timeout=TIMEOUT,
        )
    except ApiException as error:
        if error.status == _GONE:
            return None
        raise
    told: list[Document] = []
    with closing(answer):
        for line in answer:
            change = json.loads(line)
            if change["type"] == "ERROR":
                return None
            if change["type"] != BOOKMARK:
                told.append(change["object"])
            if change["type"] == DELETED:
                break
    return told
