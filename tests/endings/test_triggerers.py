"""What becomes of a deferred task and its pod when its triggerer ends, or falls silent. Tasks that wait in their
worker have no triggerer.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from signal import SIGCONT, SIGKILL, SIGSTOP, SIGTERM

import pytest
from airflow_stage.deployment import MISSED_SECONDS
from endings_stage.script import Script, ending_of

pytestmark = pytest.mark.endings
MODES = ["deferrable"]


@pytest.fixture
def home_of(stage):
    """Find the id of the running triggerer that has the play's trigger; None while nobody has it."""

    def find(play):
        found = (play.task.get("trigger") or {}).get("triggerer_id")
        return found if found in stage.deployment.triggerers else None

    return find


def assert_the_pod_lived(play):
    (pod,) = play.working
    play.release()
    ended = play.end()

    assert (ended.state, ended.tries, ended.made) == ("success", 1, 1)
    assert (ended.working, ended.left) == ((), ())
    assert pod not in ended.left


@ending_of(Script(name="triggerer-terminated"), modes=MODES)
@pytest.mark.parametrize("number", [SIGTERM])
def test_pain_06_a_pod_outlives_a_triggerer_that_is_shut_down(stage, play, home_of, number):
    play.waiting()
    name = stage.deployment.triggerers[play.until(lambda: home_of(play), "the triggerer")]
    part = stage.deployment.running[name]
    part.signal(number)
    play.until(lambda: not part.running, "the triggerer's end")
    stage.deployment.start_part(name)

    assert_the_pod_lived(play)


@ending_of(Script(name="triggerer-killed"), modes=MODES)
@pytest.mark.parametrize("number", [SIGKILL])
def test_pain_06_a_pod_outlives_a_triggerer_that_is_killed(stage, play, home_of, number):
    play.waiting()
    home = play.until(lambda: home_of(play), "the triggerer")
    name = stage.deployment.triggerers[home]
    stage.deployment.running[name].kill()
    stage.deployment.start_part(name)
    play.until(lambda: home_of(play) not in (None, home), "another triggerer")

    assert_the_pod_lived(play)


@ending_of(Script(name="triggerer-moved"), modes=MODES)
def test_pain_06_a_pod_outlives_the_move_of_its_trigger_after_a_missed_heartbeat(stage, play, home_of):
    if stage.deployment.no_postgres:
        pytest.skip(stage.deployment.no_postgres)
    play.waiting()
    home = play.until(lambda: home_of(play), "the triggerer")
    part = stage.deployment.running[stage.deployment.triggerers[home]]
    part.signal_all(SIGSTOP)
    play.until(lambda: home_of(play) not in (None, home), f"another triggerer, after {MISSED_SECONDS} s")
    awake = datetime.now(UTC)
    part.signal_all(SIGCONT)
    play.until(
        lambda: stage.api.heartbeat(home) > awake + timedelta(seconds=5) or "invoking on_kill" in play.log(),
        "what the first triggerer does when it is awake again",
    )

    assert play.state == "deferred"
    assert_the_pod_lived(play)


@ending_of(Script(name="marked-early", late=True, swept=True), modes=["deferrable"])
def test_pain_06_a_task_marked_failed_before_its_trigger_began_takes_its_pod_along(stage, scripts, mode):
    """Airflow kills no trigger that no triggerer has begun: the reaper deletes the pod."""
    play = stage.plays[scripts[0].name, mode]
    triggerers = [part for name, part in stage.deployment.running.items() if name.startswith("triggerer")]
    for part in triggerers:
        part.signal_all(SIGSTOP)
    try:
        play.start()
        play.until(lambda: play.state == "deferred" and "Running" in play.pods.values(), "the deferral")
        stage.api.mark(play.dag_id, "failed")
        play.until(lambda: play.state == "failed", "the mark")
    finally:
        for part in triggerers:
            part.signal_all(SIGCONT)
    ended = play.end()

    assert (ended.state, ended.made) == ("failed", 1)
    assert (ended.working, ended.left) == ((), ())
