"""The event recorder: what the components of a cluster say about an object."""

from __future__ import annotations

import datetime as dt
import itertools
from collections import OrderedDict

from multicluster.simulator.kubernetes.documents import Document, micro_stamp, namespace_of, stamp
from multicluster.simulator.kubernetes.resources import EVENTS
from multicluster.simulator.kubernetes.store import Store

_KEPT = 2000
SCHEDULER = "default-scheduler"


class EventRecorder:
    """Writes events; the same words about the same object are one event with a count, as client-go does it.

    Only the newest 2,000 are kept (a real server keeps an hour).
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._order = itertools.count()
        self._names: OrderedDict[tuple[str, ...], tuple[str, str]] = OrderedDict()

    def normal(self, about: Document, reason: str, message: str, component: str, path: str = "") -> None:
        """Say that something went as expected, about a part of the object if there is a path."""
        self._record(about, reason, message, component, kind="Normal", path=path)

    def warning(self, about: Document, reason: str, message: str, component: str, path: str = "") -> None:
        """Say that something went wrong, about a part of the object if there is a path."""
        self._record(about, reason, message, component, kind="Warning", path=path)

    def _record(self, about: Document, reason: str, message: str, component: str, *, kind: str, path: str) -> None:
        metadata = about["metadata"]
        known = (metadata.get("uid", ""), reason, message, component, path)
        place = self._names.get(known)
        if place is not None and self._store.find(EVENTS, *place) is not None:
            self._store.change(EVENTS, *place, self._again)
            return
        namespace = namespace_of(about) or "default"
        now = self._store.clock.now()
        name = f"{metadata['name']}.{int(now.timestamp() * 1e6) * 1000 + next(self._order) % 1000:x}"
        involved = {
            "kind": about.get("kind"),
            "namespace": namespace_of(about),
            "name": metadata["name"],
            "uid": metadata.get("uid", ""),
            "apiVersion": about.get("apiVersion"),
            "resourceVersion": metadata.get("resourceVersion", ""),
            "fieldPath": path,
        }
        self._store.create(
            EVENTS,
            {
                "kind": "Event",
                "apiVersion": "v1",
                "metadata": {"name": name, "namespace": namespace},
                "involvedObject": {key: value for key, value in involved.items() if value},
                "reason": reason,
                "message": message,
                **_told(about, reason, component, now),
                "type": kind,
                "reportingComponent": component,
            },
        )
        self._names[known] = (namespace, name)
        while len(self._names) > _KEPT:
            _, place = self._names.popitem(last=False)
            if self._store.find(EVENTS, *place) is not None:
                self._store.remove(EVENTS, *place)

    def _again(self, event: Document) -> None:
        now = self._store.clock.now()
        if event["source"]:
            event["count"] += 1
            event["lastTimestamp"] = stamp(now)
        else:
            count = (event.get("series") or {"count": 1})["count"] + 1
            event["series"] = {"count": count, "lastObservedTime": micro_stamp(now)}


def _told(about: Document, reason: str, component: str, now: dt.datetime) -> Document:
    """Return by whom and when: the scheduler writes through events.k8s.io, all others as of old."""
    if component == SCHEDULER:
        action = {"FailedScheduling": "Scheduling", "Preempted": "Preempting"}.get(reason, "Binding")
        times: Document = {"firstTimestamp": None, "lastTimestamp": None, "eventTime": micro_stamp(now)}
        return {"source": {}, **times, "action": action, "reportingInstance": component}
    times = {"firstTimestamp": stamp(now), "lastTimestamp": stamp(now), "eventTime": None}
    host = _host(about) if component == "kubelet" else {}
    return {"source": {"component": component, **host}, **times, "count": 1, "reportingInstance": host.get("host", "")}


def _host(about: Document) -> dict[str, str]:
    node = (about.get("spec") or {}).get("nodeName")
    return {"host": node} if node else {}
