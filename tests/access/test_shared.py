from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from multicluster.access.cached_endpoint import CachedEndpoint
from multicluster.access.endpoint import Endpoint
from multicluster.access.shared import Shared


def test_fifty_threads_make_one_thing():
    shared, made, together = Shared(), [], threading.Barrier(50)

    def ask(_):
        together.wait(10)
        return shared.once("key", lambda: made.append(1) or object())

    with ThreadPoolExecutor(50) as pool:
        things = set(pool.map(ask, range(50)))

    assert (len(things), len(made)) == (1, 1)


def test_an_error_is_raised_and_not_remembered():
    shared = Shared()

    with pytest.raises(ZeroDivisionError):
        shared.once("key", lambda: 1 / 0)
    assert shared.once("key", lambda: "made") == "made"


def test_what_is_slow_to_make_holds_up_nobody_who_wants_something_else():
    shared, making, release = Shared(), threading.Event(), threading.Event()

    def slow():
        making.set()
        release.wait(10)
        return "slow"

    with ThreadPoolExecutor(2) as pool:
        waiting = pool.submit(shared.once, "slow", slow)
        making.wait(10)
        other = pool.submit(shared.once, "quick", lambda: "quick")
        try:
            quick = other.result(2)
        finally:
            release.set()

    assert (quick, waiting.result(10)) == ("quick", "slow")


def test_a_forked_child_makes_its_own_even_while_its_parent_makes_one():
    shared, making, release = Shared(), threading.Event(), threading.Event()

    def slow():
        making.set()
        release.wait(10)
        return "parent's"

    parent = threading.Thread(target=shared.once, args=("key", slow))
    parent.start()
    making.wait(10)
    child = os.fork()
    if child == 0:
        os._exit(0 if shared.once("key", lambda: "child's") == "child's" else 1)
    _, status = os.waitpid(child, 0)
    release.set()
    parent.join(10)

    assert status == 0
    assert shared.once("key", lambda: "another") == "parent's"


def test_an_endpoint_is_asked_for_once_and_afresh_once_for_all_who_wait():
    asked, release = [], threading.Event()

    def ask(fresh):
        asked.append(fresh)
        if fresh:
            release.wait(10)
        return Endpoint(server=f"https://{len(asked)}.example")

    endpoint = CachedEndpoint(ask)
    first = [endpoint().server for _ in range(3)]
    with ThreadPoolExecutor(10) as pool:
        waiting = [pool.submit(endpoint, fresh=True) for _ in range(10)]
        release.set()
        fresh = {one.result(10).server for one in waiting}

    assert first == ["https://1.example"] * 3
    assert endpoint().server in fresh
    assert asked.count(False) == 1
