"""Events in the shape of events.k8s.io/v1, and back to the core group's, in which they are kept."""

from __future__ import annotations

from multicluster.simulator.kubernetes.documents import Document
from multicluster.simulator.kubernetes.resources import NEW_EVENTS, Resource

_TO_NEW = {
    "involvedObject": "regarding",
    "message": "note",
    "count": "deprecatedCount",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "source": "deprecatedSource",
    "reportingComponent": "reportingController",
}
_TO_CORE = {new: core for core, new in _TO_NEW.items()}


def shown(resource: Resource, document: Document) -> Document:
    """Return a stored object as a resource shows it."""
    if resource is not NEW_EVENTS:
        return document
    return {**{_TO_NEW.get(key, key): value for key, value in document.items()}, "apiVersion": "events.k8s.io/v1"}


def kept(resource: Resource, document: Document) -> Document:
    """Return an object as it is kept."""
    if resource is not NEW_EVENTS:
        return document
    return {**{_TO_CORE.get(key, key): value for key, value in document.items()}, "apiVersion": "v1"}
