"""Run blocking code for a trigger without holding up the triggerer's event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def off_loop(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Await *function* in a thread.

    asgiref's threads, not asyncio.to_thread: Airflow's Connection lookups find their way back from them to the
    triggerer's own loop in every Airflow 3 (3.1 and 3.2 ask by async_to_sync, 3.3 by run_coroutine_threadsafe), and
    need no greenback portal.

    Who is cancelled here is so at once and with the words of whoever did it, while the thread goes on. asgiref alone
    drops the words, and the triggerer knows by them that a person ended the task and the pod is to be deleted.
    """
    from asgiref.sync import sync_to_async

    work = asyncio.ensure_future(sync_to_async(function, thread_sensitive=False)(*args, **kwargs))
    work.add_done_callback(lambda done: done.cancelled() or done.exception())  # seen, also when nobody waits any more
    result: T = await asyncio.shield(work)
    return result
