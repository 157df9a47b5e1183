"""The laws of the shared watch of events, with real clients against a simulated API server."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, aclosing
from dataclasses import replace

import pytest

from multicluster.errors import ClusterUnreachableError
from multicluster.pods import events as module
from multicluster.pods.events import EventBoard
from multicluster.pods.source import Change
from multicluster.simulator.faults import Delay, Fault, HttpError

BOUND = 10


class Listener:
    """Notes what it hears of one pod."""

    def __init__(self, events, name):
        self.heard = []
        self.task = asyncio.create_task(self.listen(events, name))

    async def listen(self, events, name):
        async with aclosing(events.about(name)) as told:
            async for event in told:
                self.heard.append(event["message"])

    async def __aenter__(self):
        return self

    async def __aexit__(self, *error):
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


def test_a_listener_hears_of_the_past_and_of_what_happens(stage, kit):
    stage.event("fit", "Scheduled")
    stage.event("other", "not for us")

    async def main():
        async with stage.watching() as scene, Listener(scene.events, "fit") as listener:
            await kit.until(lambda: listener.heard)
            stage.event("other", "nor this")
            stage.event("fit", "Pulled")
            await kit.until(lambda: len(listener.heard) > 1)
            return listener.heard

    assert asyncio.run(main()) == ["Scheduled", "Pulled"]


def test_many_listeners_share_a_watch_and_the_list_of_the_past(stage, kit):
    names = [f"fit-{number}" for number in range(module.MANY + 10)]
    for name in names:
        stage.event(name, "Scheduled")

    async def main():
        async with stage.watching() as scene, AsyncExitStack() as stack:
            listeners = [await stack.enter_async_context(Listener(scene.events, name)) for name in names]
            await kit.until(lambda: all(listener.heard for listener in listeners))
            await kit.until(lambda: "watch" in stage.requests("events"))
            return scene.relay.peak, [listener.heard for listener in listeners]

    connections, heard = asyncio.run(main())
    assert heard == [["Scheduled"]] * len(names)
    assert stage.requests("events") == {"list": 2, "watch": 1}  # the first for the version only
    assert connections <= 2


def test_what_happened_while_nothing_was_told_is_made_good(stage, kit):
    stage.event("fit", "Scheduled")

    async def main():
        async with stage.watching() as scene, Listener(scene.events, "fit") as listener:
            await kit.until(lambda: listener.heard and "watch" in stage.requests("events"))
            await scene.relay.refuse()
            stage.event("fit", "FailedMount")
            stage.kubernetes.forget_history()
            await scene.relay.start()
            await kit.until(lambda: "FailedMount" in listener.heard)
            return stage.requests("events")["list"]

    assert asyncio.run(main()) == 4  # for the version and for the past, twice


@pytest.mark.parametrize(("verb", "after"), [("list", 0), ("list", 1), ("watch", 0)])
def test_where_events_may_not_be_watched_the_listener_is_let_go(stage, verb, after):
    effect = HttpError(code=403, reason="Forbidden", message="no")
    fault = Fault(name="no", effect=effect, operation=f"{verb} events", service="kubernetes", times=None, after=after)
    stage.faults.add(fault)

    async def main():
        async with stage.watching() as scene:
            async with asyncio.timeout(BOUND):
                heard = [event async for event in scene.events.about("fit")]
            return heard, bool(scene.events.forbidden)

    assert asyncio.run(main()) == ([], True)


def test_a_list_that_fails_is_asked_for_again(stage, kit):
    stage.event("fit", "Scheduled")
    effect = HttpError(code=500, reason="InternalError", message="injected")
    stage.faults.add(Fault(name="no", effect=effect, operation="list events", service="kubernetes", times=3))

    async def main():
        async with stage.watching() as scene, Listener(scene.events, "fit") as listener:
            await kit.until(lambda: listener.heard)
            return listener.heard

    assert asyncio.run(main()) == ["Scheduled"]


def test_a_listener_that_leaves_during_the_list_does_not_take_it_from_the_others(stage, kit):
    names = [f"fit-{number}" for number in range(module.MANY + 10)]
    for name in names:
        stage.event(name, "Scheduled")
    stage.faults.add(Fault(name="slow", effect=Delay(seconds=0.3), operation="list events", after=1, times=1))

    async def main():
        async with stage.watching() as scene, AsyncExitStack() as stack:
            listeners = [await stack.enter_async_context(Listener(scene.events, name)) for name in names]
            await kit.until(lambda: stage.faults.struck("slow"))
            listeners[0].task.cancel()
            await kit.until(lambda: all(listener.heard for listener in listeners[1:]))
            return len(listeners[1].heard)

    assert asyncio.run(main()) == 1


def test_a_cluster_that_stays_away_is_named(stage, kit):
    async def main():
        async with stage.watching(replace(kit.QUICK, give_up=0.2)) as scene:
            await scene.relay.refuse()
            async with asyncio.timeout(BOUND):
                return [event async for event in scene.events.about("fit")]

    with pytest.raises(ClusterUnreachableError, match=f"cluster '{stage.name}'"):
        asyncio.run(main())


def test_a_listener_that_does_not_listen_costs_no_more_than_its_share(monkeypatch):
    board = EventBoard()
    feed = board.enter("fit")
    for number in range(2 * module.KEPT):
        board.change(Change(kind="ADDED", document={"involvedObject": {"name": "fit"}, "message": number}))

    assert len(feed.unheard) == module.KEPT
    assert feed.unheard[-1]["message"] == 2 * module.KEPT - 1


def test_an_event_that_is_cleared_away_is_no_news():
    board = EventBoard()
    feed = board.enter("fit")
    board.change(Change(kind="DELETED", document={"involvedObject": {"name": "fit"}}))

    assert not feed.unheard


def test_nothing_is_kept_of_a_listener_that_left():
    board = EventBoard()
    feed, other = board.enter("fit"), board.enter("fit")
    board.leave(feed)
    left = board.all()
    board.leave(other)

    assert (left, board.feeds) == ([other], {})
