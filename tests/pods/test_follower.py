"""What a follower does with what a source gives, without a server."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace

import pytest

from multicluster.pods.board import Board
from multicluster.pods.follower import PAGE, Follower
from multicluster.pods.pace import Pace, Timing
from multicluster.pods.source import BrokenOffError, Change, HistoryGoneError, NotAllowedError, Page

STILL = Timing(watch=300, relist=600, first_delay=0, most_delay=0, give_up=300, forbidden=0)


def pod(name, version, phase="Running"):
    metadata = {"name": name, "resourceVersion": str(version), "labels": {}}
    return {"metadata": metadata, "status": {"phase": phase}}


def told(kind, *document):
    return Change(kind=kind, document=pod(*document))


class Clock:
    """Stands still until it is moved."""

    now = 1000.0

    def __call__(self):
        return self.now


class Script:
    """A source that gives what the test wrote down; at the end of the script the test is over."""

    def __init__(self, pages=(), streams=(), clock=None):
        self.pages = list(pages)
        self.streams = list(streams)
        self.clock = clock
        self.asked = []

    async def page(self, *, size, rest="", about=""):
        self.asked.append(("list", size, rest))
        return self._next(self.pages)

    async def changes(self, version, *, seconds, silence):
        self.asked.append(("watch", version, seconds))
        for one in self._next(self.streams):
            if isinstance(one, Exception):
                raise one
            if callable(one):
                one()
            else:
                yield one

    def _next(self, script):
        if not script:
            raise asyncio.CancelledError
        one = script.pop(0)
        if isinstance(one, Exception):
            raise one
        return one

    def verbs(self):
        return [verb for verb, *_ in self.asked]


def play(script, *names, timing=STILL, clock=None):
    """Follow to the end of the script; return the board with entries for these names."""

    async def main():
        board = Board({})
        for name in names:
            board.enter(name)
        pace = Pace(timing, clock=clock or Clock(), chance=random.Random(1))
        follower = Follower(script, board, name="pods", timing=timing, pace=pace, clock=clock or Clock())
        try:
            await follower.run()
        except asyncio.CancelledError:
            return board

    return asyncio.run(main())


def phase(board, name):
    seen = board._entries[name].seen
    return seen and seen.phase


def one_page(*items, version="10"):
    return Page(items=list(items), version=version)


def test_a_list_is_read_in_pages():
    script = Script([Page(items=[pod("a", 1)], version="10", rest="more"), one_page(pod("b", 2))])
    board = play(script, "a", "b")

    assert script.asked[:2] == [("list", PAGE, ""), ("list", PAGE, "more")]
    assert (phase(board, "a"), phase(board, "b")) == ("Running", "Running")


def test_a_watch_goes_on_from_the_last_version_also_from_a_bookmarks():
    script = Script(
        [one_page()],
        [[told("ADDED", "a", 11)], [told("BOOKMARK", "", 25)], [BrokenOffError("cut")], []],
    )
    play(script, "a")

    assert [version for verb, version, _ in script.asked if verb == "watch"] == ["10", "11", "25", "25", "25"]
    assert script.verbs().count("list") == 1


def test_what_no_watch_told_is_found_by_the_list_that_comes_from_time_to_time():
    clock = Clock()

    def ten_minutes_pass():
        clock.now += 720

    script = Script([one_page(pod("a", 5)), one_page(pod("a", 12, "Succeeded"), version="20")], [[ten_minutes_pass]])
    board = play(script, "a", clock=clock, timing=replace(STILL, give_up=9999))

    assert script.verbs() == ["list", "watch", "list", "watch"]
    assert phase(board, "a") == "Succeeded"


def test_no_watch_lasts_beyond_the_next_list():
    script = Script([one_page()])
    play(script, timing=replace(STILL, watch=5000, relist=100))

    assert 80 <= script.asked[1][2] <= 120


def test_a_watch_that_ends_at_once_every_time_becomes_lists():
    script = Script([one_page(), one_page(), one_page(pod("a", 11, "Succeeded"))], [[], []])
    board = play(script, "a", timing=replace(STILL, most_delay=0.001))

    assert script.verbs() == ["list", "watch", "list", "watch", "list", "watch"]
    assert phase(board, "a") == "Succeeded"


@pytest.mark.parametrize("error", [HistoryGoneError("410"), NotAllowedError("403")])
def test_after_lost_history_or_rights_comes_a_list(error):
    script = Script([one_page(), one_page()], [[error]])
    play(script)

    assert script.verbs() == ["list", "watch", "list", "watch"]


def test_without_a_good_answer_for_too_long_it_gives_up():
    clock = Clock()

    class Dead(Script):
        async def page(self, *, size, rest="", about=""):
            clock.now += 100
            raise BrokenOffError("no route")

    with pytest.raises(BrokenOffError, match="no route"):
        play(Dead(), clock=clock)
    assert clock.now == 1300


def test_a_burst_of_changes_leaves_others_their_turn():
    script = Script([one_page()], [[told("MODIFIED", "a", 11 + number) for number in range(3000)]])
    turns = []

    async def main():
        async def other():
            while True:
                turns.append(True)
                await asyncio.sleep(0)

        beside = asyncio.create_task(other())
        board = Board({})
        board.enter("a")
        follower = Follower(
            script, board, name="pods", timing=STILL, pace=Pace(STILL, clock=Clock(), chance=random.Random(1))
        )
        with pytest.raises(asyncio.CancelledError):
            await follower.run()
        beside.cancel()

    asyncio.run(main())
    assert len(turns) > 10


def test_a_cluster_restored_from_a_backup_is_believed():
    script = Script(
        [one_page(pod("a", 900), version="900"), one_page(pod("a", 50, "Failed"), version="60")],
        [[HistoryGoneError("500 Too large resource version")]],
    )

    assert phase(play(script, "a"), "a") == "Failed"


def test_delays_double_up_to_a_limit_and_are_drawn():
    pace = Pace(Timing(first_delay=1, most_delay=8), clock=Clock(), chance=random.Random(1))
    delays = [pace.delay() for _ in range(50)]

    assert all(delay <= limit for delay, limit in zip(delays, [1, 2, 4, *[8] * 47], strict=True))
    assert len(set(delays)) == 50
    assert max(delays) > 6


def test_a_server_that_names_a_delay_gets_it():
    pace = Pace(Timing(first_delay=1, most_delay=8), clock=Clock(), chance=random.Random(1))

    assert pace.delay(retry_after=30) == 30


def test_a_server_that_wishes_for_a_day_gets_as_long_as_it_is_waited_for():
    pace = Pace(Timing(give_up=300), clock=Clock(), chance=random.Random(1))

    assert pace.delay(retry_after=86_400) == 300


def test_after_a_calm_while_the_next_delay_is_short_again():
    pace = Pace(Timing(first_delay=1, most_delay=64), clock=Clock(), chance=random.Random(1))
    for _ in range(9):
        pace.delay()
    pace.calm()

    assert pace.delay() <= 1
