"""What becomes of task and pod when the task's process is ended."""

from __future__ import annotations

from signal import SIGKILL, SIGTERM

import pytest
from endings_stage import deeds
from endings_stage.script import Script, ending_of

pytestmark = pytest.mark.endings


@ending_of(Script(name="worker-terminated", deed=deeds.signal_worker(SIGTERM)), modes=["sync"])
def test_pain_05_a_terminated_task_is_no_success_and_takes_its_pod_along(ended):
    assert (ended.state, ended.made) == ("failed", 1)
    assert (ended.working, ended.left) == ((), ())


@ending_of(
    Script(name="worker-terminated-again", deed=deeds.signal_worker(SIGTERM), options={"retries": 1}), modes=["sync"]
)
def test_a_terminated_task_with_a_try_left_gets_a_new_pod(ended):
    assert (ended.state, ended.tries, ended.made) == ("success", 2, 2)
    assert (ended.working, ended.left) == ((), ())


@ending_of(Script(name="worker-killed", deed=deeds.signal_worker(SIGKILL), options={"retries": 1}), modes=["sync"])
def test_a_killed_task_with_a_try_left_takes_its_pod_up_again(ended):
    assert (ended.state, ended.tries, ended.made) == ("success", 2, 1)
    assert (ended.working, ended.left) == ((), ())


BACK = {"deed": deeds.kill_on_return}
RESULT = {"then": "echo 7 > /airflow/xcom/return.json", "options": {"retries": 1, "do_xcom_push": True}}


@ending_of(Script(name="killed-on-return", options={"retries": 1}, **BACK), modes=["deferrable"])
def test_a_task_killed_when_it_comes_back_from_its_trigger_takes_its_pod_up_again(ended):
    assert (ended.state, ended.tries, ended.made) == ("success", 2, 1)
    assert (ended.working, ended.left) == ((), ())


@ending_of(Script(name="killed-with-result", **RESULT, **BACK), modes=["deferrable"])
def test_a_task_killed_when_it_comes_back_from_its_trigger_has_its_pods_result(stage, play, ended):
    assert (ended.state, ended.tries, ended.made) == ("success", 2, 1)
    assert stage.api.result(play.dag_id) == "7"
    assert (ended.working, ended.left) == ((), ())


@ending_of(Script(name="worker-killed-for-good", deed=deeds.signal_worker(SIGKILL), swept=True), modes=["sync"])
def test_pain_06_a_killed_task_without_a_try_left_leaves_no_pod_at_work(ended):
    """Airflow has nobody act for it: the reaper does."""
    assert (ended.state, ended.made) == ("failed", 1)
    assert ended.working == ()


MAKING = {"before": deeds.slow_to_create}


@ending_of(Script(name="terminated-in-making", deed=deeds.signal_while_creating(SIGTERM), **MAKING))
def test_a_task_terminated_while_its_pod_is_made_leaves_no_pod_at_work(ended):
    assert ended.state == "failed"
    assert (ended.working, ended.left) == ((), ())


@ending_of(Script(name="killed-in-making", deed=deeds.signal_while_creating(SIGKILL), options={"retries": 1}, **MAKING))
def test_a_task_killed_while_its_pod_is_made_has_one_pod_in_the_end(ended):
    assert (ended.state, ended.tries) == ("success", 2)
    assert (ended.working, ended.left) == ((), ())
