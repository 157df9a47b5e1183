"""Keep the lease of a node pool while a task, or a trigger, waits for what runs on it."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

from airflow_multicluster.off_loop import off_loop
from multicluster.access.shared import Shared
from multicluster.brackets.keeping import Kept, LeaseKeeper
from multicluster.brackets.place import Place

if TYPE_CHECKING:
    from multicluster.registry.cluster import Cluster

PAUSE_SECONDS = 20.0
"""How often a wait looks whether a lease is due, which costs a comparison."""
SECONDS_TO_END = 10.0
_OF_THIS_PROCESS = Shared()


def process_keeper() -> LeaseKeeper:
    """Return what keeps leases in this process; a forked child has its own."""
    return _OF_THIS_PROCESS.once("lease keeper", LeaseKeeper)


@contextmanager
def lease_kept(place: Place, find: Callable[[str], Cluster], log: Any) -> Iterator[None]:
    """Keep the lease of *place*'s owner for the block, in a thread of its own."""
    over = threading.Event()
    thread = threading.Thread(target=_keep, args=(place, find, log, over), name=f"lease of {place.pool}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(SECONDS_TO_END)  # a cloud that does not answer holds up nobody for longer


def _keep(place: Place, find: Callable[[str], Cluster], log: Any, over: threading.Event) -> None:
    keeper, said = process_keeper(), ""
    while not over.wait(PAUSE_SECONDS):
        said = _tell(log, keeper.look(place, find), said)


@asynccontextmanager
async def lease_kept_for(cluster: str, *, node_pool: str = "", owner: str = "", log: Any) -> AsyncIterator[None]:
    """Do the same in a trigger; the cloud is asked off the event loop, by one of all the triggers of a pool."""
    if not node_pool:
        yield
        return
    keeping = asyncio.create_task(_keep_off_loop(Place(cluster=cluster, pool=node_pool, owner=owner), log))
    try:
        yield
    finally:
        keeping.cancel()
        await asyncio.wait([keeping])


async def _keep_off_loop(place: Place, log: Any) -> None:
    from airflow_multicluster.hooks.cluster import find_cluster

    keeper, said = process_keeper(), ""
    while True:
        pause = PAUSE_SECONDS * random.uniform(0.5, 1)  # noqa: S311 - so that triggers that began together drift apart
        await asyncio.sleep(pause)
        kept = keeper.known(place)
        if kept is None:
            kept = await off_loop(keeper.look, place, find_cluster)
        said = _tell(log, kept, said)


def _tell(log: Any, kept: Kept, said: str) -> str:
    if kept.text != said:
        (log.error if kept.lost else log.info)("%s", kept.text)
    return kept.text
