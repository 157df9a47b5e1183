from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from multicluster.access.single_flight import SingleFlight


class Interrupted(BaseException):
    """What a signal raises in the thread that happens to run, as Airflow's time-out of a task does."""


@pytest.mark.parametrize("before", [0, 1])
def test_those_who_wait_for_a_run_that_was_interrupted_get_a_run_of_their_own(before):
    running, release = threading.Event(), threading.Event()
    runs = []

    def run():
        runs.append(1)
        if len(runs) == before + 1:
            running.set()
            release.wait(10)
            raise Interrupted
        return f"run {len(runs)}"

    flight = SingleFlight(run)
    for _ in range(before):
        flight()
    with ThreadPoolExecutor(2) as pool:
        interrupted = pool.submit(flight)
        running.wait(10)
        asked = threading.Event()
        waiting = pool.submit(lambda: asked.set() or flight())
        asked.wait(10)
        release.set()

        assert isinstance(interrupted.exception(10), Interrupted)
        assert waiting.result(10) == f"run {before + 2}"
