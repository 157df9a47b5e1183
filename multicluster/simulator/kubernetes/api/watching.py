"""Watches: changes as they happen, from a version on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable

from aiohttp import web

from multicluster.simulator.kubernetes.api.listing import version_asked
from multicluster.simulator.kubernetes.api.new_events import shown
from multicluster.simulator.kubernetes.api.options import check_list, integer, is_true
from multicluster.simulator.kubernetes.documents import Document
from multicluster.simulator.kubernetes.resources import NEW_EVENTS, Resource, stored
from multicluster.simulator.kubernetes.selectors import Test, object_test
from multicluster.simulator.kubernetes.status import ApiError
from multicluster.simulator.kubernetes.store import Change, Store

_LONGEST = 3600.0
_BOOKMARK_EVERY = 60.0
_INITIAL_END = {"k8s.io/initial-events-end": "true"}
Render = Callable[[Document], Document]


class Watch:
    """One watch of one client."""

    def __init__(
        self, store: Store, resource: Resource, namespace: str | None, request: web.BaseRequest, render: Render | None
    ) -> None:
        query = request.query
        check_list(query, watch=True)
        self._store = store
        self._resource = resource
        self._request = request
        self._render = render
        self._matches: Test = object_test(
            resource, namespace=namespace, labels=query.get("labelSelector", ""), fields=query.get("fieldSelector", "")
        )
        self._from = version_asked(query)
        self._bookmarks = is_true(query.get("allowWatchBookmarks", ""))
        self._initial = is_true(query.get("sendInitialEvents", ""))
        self._seconds = min(_LONGEST, integer(query, "timeoutSeconds") or _LONGEST)
        self._response = web.StreamResponse(headers={"Content-Type": "application/json"})

    async def run(self) -> web.StreamResponse:
        """Serve the watch until its time is over or its client has gone."""
        await self._response.prepare(self._request)
        try:
            position = await self._begin()
        except ApiError as error:
            await self._send("ERROR", json.dumps(error.body).encode())
            return self._response
        timer = asyncio.ensure_future(self._store.clock.sleep(self._seconds))
        marker = asyncio.ensure_future(self._store.clock.sleep(_BOOKMARK_EVERY))
        try:
            while not timer.done():
                position = await self._catch_up(position)
                grown = asyncio.ensure_future(self._store.changed(position))
                try:
                    await asyncio.wait({grown, timer, marker}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    grown.cancel()
                if marker.done():
                    await self._bookmark(position, {})
                    marker = asyncio.ensure_future(self._store.clock.sleep(_BOOKMARK_EVERY))
            await self._bookmark(position, {})
        except ApiError as error:  # the log was shortened faster than the client has read
            await self._send("ERROR", json.dumps(error.body).encode())
        finally:
            timer.cancel()
            marker.cancel()
        return self._response

    async def _begin(self) -> int:
        """Send what a watch begins with and return the version it goes on from. Raises `ApiError` 410."""
        if self._from and not self._initial:
            self._store.since(self._from)
            return min(self._from, self._store.version)
        version = self._store.version
        for document in self._store.all(stored(self._resource)):
            item = shown(self._resource, document)
            if self._matches(item):
                await self._send("ADDED", self._encoded(item))
        if self._initial:
            await self._bookmark(version, _INITIAL_END)
        return version

    async def _catch_up(self, position: int) -> int:
        changes = self._store.since(position)
        kept = stored(self._resource)
        for change in changes:
            if change.resource is kept:
                for kind, data in self._events(change):
                    await self._send(kind, data)
        return changes[-1].version if changes else position

    def _events(self, change: Change) -> Iterable[tuple[str, bytes]]:
        """Return what a change is to this watch: objects enter and leave its selection."""
        document = shown(self._resource, change.document)
        matches = self._matches(document)
        matched = change.previous is not None and self._matches(shown(self._resource, change.previous))
        if change.type == "DELETED":
            kind = "DELETED" if matched else ""
        elif matches:
            kind = "MODIFIED" if matched else "ADDED"
        else:
            kind = "DELETED" if matched else ""
        if kind == "DELETED" and change.type == "MODIFIED":
            yield kind, self._encoded(self._left(change))
        elif kind:
            plain = self._render is None and self._resource is not NEW_EVENTS
            yield kind, change.encoded if plain else self._encoded(document)

    def _left(self, change: Change) -> Document:
        """Return what has left the selection: as it was, at the version at which it left."""
        previous = shown(self._resource, change.previous or change.document)
        version = change.document["metadata"]["resourceVersion"]
        return {**previous, "metadata": {**previous["metadata"], "resourceVersion": version}}

    def _encoded(self, document: Document) -> bytes:
        shaped = self._render(document) if self._render is not None else document
        return json.dumps(shaped, separators=(",", ":")).encode()

    async def _bookmark(self, version: int, annotations: dict[str, str]) -> None:
        if not self._bookmarks and not annotations:
            return
        metadata: Document = {"resourceVersion": str(version)}
        if annotations:
            metadata["annotations"] = annotations
        mark = {"kind": self._resource.kind, "apiVersion": self._resource.api_version, "metadata": metadata}
        await self._send("BOOKMARK", self._encoded(mark))

    async def _send(self, kind: str, data: bytes) -> None:
        await self._response.write(b'{"type":"' + kind.encode() + b'","object":' + data + b"}\n")
