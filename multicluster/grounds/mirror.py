"""Keep a copy of what a real API server holds, so that the world can look without waiting."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

import aiohttp

from multicluster.simulator.kubernetes.documents import Document, name_of, namespace_of
from multicluster.simulator.kubernetes.resources import Resource
from multicluster.simulator.kubernetes.status import ApiError
from multicluster.simulator.kubernetes.store import Change

if TYPE_CHECKING:
    from collections.abc import Callable

    from multicluster.grounds.api import Api

Kind = Literal["ADDED", "MODIFIED", "DELETED"]
_AGAIN_AFTER = 0.2


class Mirror:
    """Lists and watches a few resources on the world's loop; documents handed out are never changed in place."""

    def __init__(self, api: Api, resources: tuple[Resource, ...]) -> None:
        self._api = api
        self._objects: dict[Resource, dict[tuple[str, str], Document]] = {one: {} for one in resources}
        self._listeners: list[Callable[[Change], None]] = []
        self._changed = asyncio.Condition()
        self._tasks = [asyncio.ensure_future(self._follow(resource)) for resource in resources]

    def all(self, resource: Resource, namespace: str | None = None) -> list[Document]:
        """Return the objects of one namespace or, for None, of all."""
        return [one for key, one in sorted(self._objects[resource].items()) if namespace in (None, key[0])]

    def find(self, resource: Resource, namespace: str, name: str) -> Document | None:
        """Return an object, or None."""
        return self._objects[resource].get((namespace, name))

    def subscribe(self, listener: Callable[[Change], None]) -> None:
        """Call a function after every change. It must not fail and must not block."""
        self._listeners.append(listener)

    async def until(self, condition: Callable[[], bool], *, seconds: float) -> None:
        """Return as soon as the copy meets a condition; raises TimeoutError after so many seconds."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(condition)

    async def stop(self) -> None:
        """Look no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _follow(self, resource: Resource) -> None:
        prefix = f"/apis/{resource.group}" if resource.group else "/api"
        path = f"{prefix}/{resource.version}/{resource.plural}"
        while True:
            try:
                listed = await self._api.request("GET", path)
                await self._replace(resource, listed["items"] or [])
                async for event in self._api.watch(path, listed["metadata"]["resourceVersion"]):
                    if event["type"] != "BOOKMARK":
                        await self._take(resource, event["type"], event["object"])
            except (aiohttp.ClientError, TimeoutError, ApiError):
                await asyncio.sleep(_AGAIN_AFTER)  # the server starts, restarts or has forgotten: list again

    async def _replace(self, resource: Resource, items: list[Document]) -> None:
        known = self._objects[resource]
        there = {(namespace_of(item), name_of(item)): item for item in items}
        for key in set(known) - set(there):
            await self._take(resource, "DELETED", known[key])
        for item in there.values():
            await self._take(resource, "ADDED", item)

    async def _take(self, resource: Resource, kind: Kind, document: Document) -> None:
        key = (namespace_of(document), name_of(document))
        if kind == "DELETED":
            self._objects[resource].pop(key, None)
        else:
            self._objects[resource][key] = document
        change = Change(version=0, resource=resource, type=kind, document=document)
        for listener in self._listeners:
            listener(change)
        async with self._changed:
            self._changed.notify_all()
