"""What becomes of tasks and pods when the scheduler ends, and with it, when it is killed, all its workers."""

from __future__ import annotations

from signal import SIGTERM

import pytest
from endings_stage.script import Script, ending_of

pytestmark = pytest.mark.endings


@ending_of(Script(name="scheduler-terminated", late=True))
def test_a_pod_and_its_task_outlive_a_scheduler_that_is_shut_down(stage, play):
    play.waiting()
    scheduler = stage.deployment.running["scheduler"]
    scheduler.signal(SIGTERM)
    play.release()
    play.until(lambda: not scheduler.running, "the scheduler's end")
    stage.deployment.start_part("scheduler")
    ended = play.end()

    assert (ended.state, ended.tries, ended.made) == ("success", 1, 1)
    assert (ended.working, ended.left) == ((), ())


@ending_of(Script(name="scheduler-killed", late=True, options={"retries": 1}))
def test_a_pod_outlives_a_scheduler_that_is_killed_with_its_workers(stage, play):
    play.waiting()
    stage.deployment.running["scheduler"].kill()
    stage.deployment.start_part("scheduler")
    if play.mode == "sync":
        play.until(lambda: play.task["try_number"] == 2, "the second try")
        play.waiting()
    play.release()
    ended = play.end()

    assert (ended.state, ended.made) == ("success", 1)
    assert (ended.working, ended.left) == ((), ())
