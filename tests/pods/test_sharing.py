"""Who shares what, and for how long its task lives."""

from __future__ import annotations

import asyncio
import contextvars
import gc

import pytest

from multicluster.pods.per_loop import PerLoop
from multicluster.pods.shared_task import SharedTask

READER = contextvars.ContextVar("READER", default="nobody")


class Watch:
    """Stands for a watch: only who gets which is looked at."""

    def __init__(self, ended):
        self.ended = ended


def test_one_loop_has_one_watch_of_a_key():
    watches = PerLoop()

    async def main():
        return [watches.get(key, Watch) for key in ("a", "a", "b")]

    first, again, other = asyncio.run(main())
    assert first is again
    assert first is not other


def test_each_loop_has_its_own_and_a_closed_ones_are_forgotten():
    watches = PerLoop()

    async def main():
        return watches.get("a", Watch), len(watches)

    (first, _), (second, kept) = asyncio.run(main()), asyncio.run(main())
    assert first is not second
    assert kept == 1


def test_a_loop_that_is_gone_takes_its_watches_with_it():
    watches = PerLoop()

    async def main():
        watches.get("a", Watch)

    asyncio.run(main())
    gc.collect()
    assert len(watches) == 0


def test_a_watch_that_ended_is_not_handed_out_again():
    watches = PerLoop()

    async def main():
        first = watches.get("a", Watch)
        first.ended()
        return first, watches.get("a", Watch)

    first, second = asyncio.run(main())
    assert first is not second


class Work:
    """Counts its starts, and takes its time to end."""

    def __init__(self):
        self.started = 0
        self.leaving = asyncio.Event()
        self.may_leave = asyncio.Event()
        self.ends = []
        self.error = None
        self.reader = ""

    async def run(self):
        self.started += 1
        self.reader = READER.get()
        try:
            if self.error:
                raise self.error
            await asyncio.Event().wait()
        finally:
            self.leaving.set()
            await self.may_leave.wait()


def play(scene):
    async def main():
        work = Work()
        task = SharedTask(work.run, linger=0, ended=work.ends.append)
        return await asyncio.wait_for(scene(work, task), 10)

    return asyncio.run(main())


async def until(condition):
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - of this loop
            await asyncio.sleep(0)


def test_the_task_is_started_once_for_all():
    async def scene(work, task):
        work.may_leave.set()
        with task.held(), task.held():
            await asyncio.sleep(0)
        await until(lambda: work.ends)
        return work

    work = play(scene)
    assert (work.started, work.ends) == (1, [None])


def test_who_comes_while_the_task_is_leaving_gets_a_new_one():
    async def scene(work, task):
        with task.held():
            await asyncio.sleep(0)
        await work.leaving.wait()
        with task.held():
            work.may_leave.set()
            await until(lambda: work.started == 2)
            return work.started, list(work.ends)

    assert play(scene) == (2, [])


def test_an_error_of_the_task_is_told():
    async def scene(work, task):
        work.error = RuntimeError("out of luck")
        work.may_leave.set()
        with task.held():
            await until(lambda: work.ends)
        return work.ends

    assert str(play(scene)[0]) == "out of luck"


def test_a_task_that_somebody_else_cancelled_says_so():
    async def scene(work, task):
        work.may_leave.set()
        with task.held():
            await asyncio.sleep(0)
            task._task.cancel()
            await until(lambda: work.ends)
        return work.ends

    assert isinstance(play(scene)[0], asyncio.CancelledError)


@pytest.mark.parametrize("reader", ["first", "second"])
def test_the_task_works_in_nobodys_context(reader):
    async def scene(work, task):
        READER.set(reader)
        work.may_leave.set()
        with task.held():
            await asyncio.sleep(0)
        return work.reader

    assert play(scene) == "nobody"
