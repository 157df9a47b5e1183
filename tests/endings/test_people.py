"""What becomes of the pod when a person, or a time-out that a person has set, ends the task."""

from __future__ import annotations

import pytest
from endings_stage import deeds
from endings_stage.script import Script, ending_of

pytestmark = pytest.mark.endings


@ending_of(Script(name="marked-failed", deed=deeds.mark("failed")))
def test_a_task_marked_failed_takes_its_pod_along(ended):
    assert (ended.state, ended.run, ended.made) == ("failed", "failed", 1)
    assert (ended.working, ended.left) == ((), ())


@ending_of(Script(name="marked-success", deed=deeds.mark("success")))
def test_a_task_marked_success_takes_its_pod_along(ended):
    assert (ended.state, ended.run, ended.made) == ("success", "success", 1)
    assert (ended.working, ended.left) == ((), ())


@ending_of(Script(name="run-marked-failed", deed=deeds.mark_run_failed))
def test_a_run_marked_failed_takes_the_pods_of_its_tasks_along(ended):
    assert (ended.state, ended.run, ended.made) == ("failed", "failed", 1)
    assert (ended.working, ended.left) == ((), ())


@ending_of(Script(name="cleared", deed=deeds.clear))
def test_a_task_that_is_cleared_runs_again_and_leaves_no_pod_of_before(ended):
    assert (ended.state, ended.tries) == ("success", 2)
    assert (ended.working, ended.left) == ((), ())


@ending_of(Script(name="execution-timeout", deed=deeds.outlive, options={"execution_timeout": 25}))
def test_pain_29_a_task_that_takes_too_long_fails_and_takes_its_pod_along(ended):
    assert (ended.state, ended.made) == ("failed", 1)
    assert (ended.working, ended.left) == ((), ())


@ending_of(Script(name="run-timeout", deed=deeds.outlive, options={"dagrun_timeout": 75, "priority_weight": 9}))
def test_a_run_that_takes_too_long_takes_the_pods_of_its_tasks_along(ended):
    assert (ended.state, ended.run, ended.made) == ("skipped", "failed", 1)
    assert (ended.working, ended.left) == ((), ())
