"""The objects of one cluster: one version counter for all, and a bounded log of changes for watches."""

from __future__ import annotations

import asyncio
import itertools
import json
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from multicluster.simulator.clock import Clock
from multicluster.simulator.kubernetes.documents import Document, copied, name_of, namespace_of, stamp
from multicluster.simulator.kubernetes.resources import Resource
from multicluster.simulator.kubernetes.status import already_exists, expired, not_found

Key = tuple[str, str]
Mutation = Callable[[Document], None]


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change of one object. Its documents are shared by all readers: never write to them."""

    version: int
    resource: Resource
    type: Literal["ADDED", "MODIFIED", "DELETED"]
    document: Document
    previous: Document | None = None

    @cached_property
    def encoded(self) -> bytes:
        """The object as JSON, encoded once for all watches."""
        return json.dumps(self.document, separators=(",", ":")).encode()


@dataclass
class Store:
    """Objects by resource, namespace and name. Lives on one event loop; not thread-safe.

    Documents handed out and kept are never changed in place: a change stores a new document, so that a reader can
    keep what it has read. The log keeps the last `log_size` changes; a watch or a continued list that asks for older
    ones gets 410.
    """

    clock: Clock
    log_size: int = 5000
    version: int = 100  # as on a real server, which has made a few objects of its own
    _objects: dict[Resource, dict[Key, Document]] = field(default_factory=dict)
    _log: deque[Change] = field(default_factory=deque)
    _listeners: list[Callable[[Change], None]] = field(default_factory=list)
    _waiters: set[asyncio.Future[None]] = field(default_factory=set)

    def find(self, resource: Resource, namespace: str, name: str) -> Document | None:
        """Return an object, or None."""
        return self._objects.get(resource, {}).get((namespace, name))

    def get(self, resource: Resource, namespace: str, name: str) -> Document:
        """Return an object. Raises `ApiError` 404."""
        found = self.find(resource, namespace, name)
        if found is None:
            raise not_found(resource.plural, resource.group, name)
        return found

    def all(self, resource: Resource, namespace: str | None = None) -> list[Document]:
        """Return the objects of one namespace or, for None, of all, sorted by namespace and name."""
        objects = self._objects.get(resource, {})
        return [objects[key] for key in sorted(objects) if namespace in (None, key[0])]

    def all_at(self, resource: Resource, version: int) -> list[Document]:
        """Return all objects as they were at an earlier version. Raises `ApiError` 410 when that is too old."""
        objects = dict(self._objects.get(resource, {}))
        for change in reversed(self.since(version)):
            if change.resource is resource:
                key = (namespace_of(change.document), name_of(change.document))
                objects.pop(key, None)
                if change.previous is not None:
                    objects[key] = change.previous
        return [objects[key] for key in sorted(objects)]

    def create(self, resource: Resource, document: Document, *, dry: bool = False) -> Document:
        """Keep a new object under its namespace and name, with uid and creation time. Raises `ApiError` 409.

        Nothing is kept if it is only a dry run.
        """
        key = (namespace_of(document), name_of(document))
        objects = self._objects.setdefault(resource, {})
        if key in objects:
            raise already_exists(resource.plural, resource.group, key[1])
        created: Document = copied(document)
        metadata = created["metadata"]
        metadata.setdefault("uid", str(uuid.uuid4()))
        metadata["creationTimestamp"] = stamp(self.clock.now())
        if resource.generations:
            metadata["generation"] = 1
        if dry:
            return created
        objects[key] = created
        self._record(resource, "ADDED", created, None)
        return created

    def replace(self, resource: Resource, document: Document) -> Document:
        """Keep a changed object in place of the one of the same name. Raises `ApiError` 404."""
        key = (namespace_of(document), name_of(document))
        previous = self.get(resource, *key)
        if _same(document, previous):
            return previous
        changed: Document = copied(document)
        self._objects[resource][key] = changed
        self._record(resource, "MODIFIED", changed, previous)
        return changed

    def change(self, resource: Resource, namespace: str, name: str, mutation: Mutation, uid: str = "") -> Document:
        """Change an object by a function that edits a copy of it. Raises `ApiError` 404, also for another uid."""
        current = self.get(resource, namespace, name)
        if uid and current["metadata"]["uid"] != uid:
            raise not_found(resource.plural, resource.group, name)
        edited: Document = copied(current)
        mutation(edited)
        return self.replace(resource, edited)

    def remove(self, resource: Resource, namespace: str, name: str) -> Document:
        """Forget an object and return its last state. Raises `ApiError` 404."""
        previous = self.get(resource, namespace, name)
        del self._objects[resource][namespace, name]
        last: Document = copied(previous)
        self._record(resource, "DELETED", last, previous)
        return last

    def since(self, version: int) -> list[Change]:
        """Return the changes after a version, oldest first. Raises `ApiError` 410 when they are no longer kept."""
        oldest = self._log[0].version if self._log else self.version + 1
        if version + 1 < oldest:
            raise expired(version, oldest)
        newer = self.version - version
        return list(itertools.islice(reversed(self._log), newer))[::-1] if newer > 0 else []

    def forget(self, keep: int = 0) -> None:
        """Shorten the log to its last `keep` changes, as etcd's compaction does."""
        while len(self._log) > keep:
            self._log.popleft()

    async def changed(self, version: int) -> None:
        """Return as soon as there is a change after a version."""
        while self.version <= version:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.add(waiter)
            try:
                await waiter
            finally:
                self._waiters.discard(waiter)

    def subscribe(self, listener: Callable[[Change], None]) -> None:
        """Call a function after every change, in order, on the loop. It must not fail and must not block."""
        self._listeners.append(listener)

    def namespaced(self, namespace: str) -> Iterator[tuple[Resource, Document]]:
        """Go through everything in one namespace."""
        for resource in list(self._objects):
            if resource.namespaced:
                for document in self.all(resource, namespace):
                    yield resource, document

    def holds(self, uid: str, namespace: str) -> bool:
        """Whether there is an object with a uid in a namespace, or outside of all."""
        return any(
            document["metadata"]["uid"] == uid
            for resource, objects in self._objects.items()
            for key, document in objects.items()
            if not resource.namespaced or key[0] == namespace
        )

    def _record(
        self,
        resource: Resource,
        kind: Literal["ADDED", "MODIFIED", "DELETED"],
        document: Document,
        previous: Document | None,
    ) -> None:
        self.version += 1
        document["metadata"]["resourceVersion"] = str(self.version)
        change = Change(version=self.version, resource=resource, type=kind, document=document, previous=previous)
        self._log.append(change)
        if len(self._log) > self.log_size:
            self._log.popleft()
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        for listener in self._listeners:
            listener(change)


def _same(one: Document, other: Document) -> bool:
    """Whether two states of an object differ in nothing but the version: such an update writes nothing."""
    return _unversioned(one) == _unversioned(other)


def _unversioned(document: Document) -> Document:
    metadata = {key: value for key, value in document["metadata"].items() if key != "resourceVersion"}
    return {**document, "metadata": metadata}
