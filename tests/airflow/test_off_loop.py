"""Blocking code off the event loop: whoever waits for it can be cancelled, and told why."""

from __future__ import annotations

import asyncio
import threading

from airflow_multicluster.off_loop import off_loop


def test_a_cancellation_keeps_its_words_while_the_thread_works():
    started, finish = threading.Event(), threading.Event()

    def work():
        started.set()
        finish.wait(60)

    async def cancelled_with():
        task = asyncio.ensure_future(off_loop(work))
        while not started.is_set():  # noqa: ASYNC110 - it is set in a thread
            await asyncio.sleep(0.01)
        task.cancel("user-action")
        try:
            await task
        except asyncio.CancelledError as error:
            return error.args
        finally:
            finish.set()

    assert asyncio.run(cancelled_with()) == ("user-action",)


def test_what_the_thread_returns_and_raises_comes_back():
    async def both():
        failed = await asyncio.gather(off_loop(int, "x"), return_exceptions=True)
        return await off_loop(int, "3"), failed

    three, (failed,) = asyncio.run(both())

    assert three == 3
    assert isinstance(failed, ValueError)
