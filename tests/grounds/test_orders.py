"""Orders to nodes: one after the other for each, all nodes at a time."""

from __future__ import annotations

import asyncio

import pytest

from multicluster.grounds.orders import Orders
from multicluster.simulator.fleet import NodeError


async def fail() -> None:
    raise NodeError("no room")


def test_the_orders_of_a_node_are_carried_out_in_turn() -> None:
    async def run() -> list[int]:
        orders, done = Orders(), []

        def note(number: int):
            async def work() -> None:
                await asyncio.sleep(0)
                done.append(number)

            return work

        for number in range(3):
            orders.give("n1", note(number))
        await orders.settled("n1")
        return done

    assert asyncio.run(run()) == [0, 1, 2]


def test_a_slow_node_holds_up_no_other() -> None:
    async def run() -> bool:
        orders, gate = Orders(), asyncio.Event()
        orders.give("slow", gate.wait)
        orders.give("quick", lambda: asyncio.sleep(0))
        await orders.settled("quick")
        held = not gate.is_set()
        gate.set()
        await orders.settled("slow")
        return held

    assert asyncio.run(run())


def test_a_failure_is_raised_once_to_whoever_waits() -> None:
    async def run() -> None:
        orders = Orders()
        orders.give("n1", fail)
        with pytest.raises(NodeError, match="no room"):
            await orders.settled("n1")
        await orders.settled("n1")

    asyncio.run(run())


def test_what_follows_a_failure_is_done_and_counts() -> None:
    async def run() -> None:
        orders = Orders()
        orders.give("n1", fail)
        orders.give("n1", lambda: asyncio.sleep(0))
        await orders.settled("n1")

    asyncio.run(run())


def test_stopped_orders_end_what_was_begun_and_begin_nothing() -> None:
    async def run() -> list[str]:
        orders, done = Orders(), []

        async def work() -> None:
            await asyncio.sleep(0)
            done.append("begun")

        async def never() -> None:
            done.append("never")

        orders.give("n1", work)
        orders.give("n1", never)
        await asyncio.sleep(0)
        await orders.stop()
        orders.give("n1", never)
        await orders.settled("n1")
        return done

    assert asyncio.run(run()) == ["begun"]
