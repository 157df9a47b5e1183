"""What becomes of a task whose pod is well, but whose API server is not."""

from __future__ import annotations

import pytest
from endings_stage import deeds, trouble
from endings_stage.script import Script, ending_of

from multicluster.simulator.faults import HttpError

pytestmark = pytest.mark.endings
UNAUTHORIZED = HttpError(code=401, reason="Unauthorized", message="Unauthorized")
TOO_MANY = HttpError(code=429, reason="TooManyRequests", message="too many", headers={"Retry-After": "2"})
BROKEN = HttpError(code=500, reason="InternalError", message="etcdserver: leader changed")
STEPS = {
    "sync": {"create pods", "list pods", "get pods", "get pods/log", "delete pods"},
    "deferrable": {"create pods", "list pods", "watch pods", "get pods", "get pods/log", "delete pods"},
}
"""What is asked of an API server for one task."""


def assert_nothing_was_lost(ended):
    assert (ended.state, ended.run) == ("success", "success")
    assert (ended.tries, ended.made) == (1, 1)
    assert (ended.working, ended.left) == ((), ())


def assert_each_step_was_struck(play, times):
    assert {step: count for step, count in trouble.struck(play).items() if count} == dict.fromkeys(
        STEPS[play.mode], times
    )


@ending_of(Script(name="outage", before=trouble.count, deed=trouble.outage, line=True))
def test_pain_22_an_api_server_that_is_down_for_two_minutes_costs_nothing(play, ended):
    assert play.laid.aborted > 0
    assert_nothing_was_lost(ended)


@ending_of(Script(name="unauthorized", before=trouble.weather(UNAUTHORIZED), deed=deeds.release, cluster="gke"))
def test_pain_01_a_401_at_each_step_costs_nothing(play, ended):
    assert_each_step_was_struck(play, times=1)
    assert_nothing_was_lost(ended)


@ending_of(Script(name="tokens-expire", before=trouble.hold, deed=trouble.expire_tokens, own=True))
def test_pain_01_tokens_that_expire_at_each_step_cost_nothing(play, ended):
    assert set(play.seen) == STEPS[play.mode]
    assert trouble.refused(play) >= len(play.seen)
    assert_nothing_was_lost(ended)


@ending_of(Script(name="too-many", before=trouble.weather(TOO_MANY, times=2), deed=deeds.release))
def test_pain_22_a_429_with_retry_after_at_each_step_costs_nothing(play, ended):
    assert_each_step_was_struck(play, times=2)
    assert_nothing_was_lost(ended)


@ending_of(Script(name="broken", before=trouble.weather(BROKEN, times=2), deed=deeds.release))
def test_pain_22_a_500_at_each_step_costs_nothing(play, ended):
    assert_each_step_was_struck(play, times=2)
    assert_nothing_was_lost(ended)


@ending_of(Script(name="slow-loris", deed=trouble.slow_loris, line=True))
def test_answers_that_drip_in_cost_nothing(play, ended):
    assert play.seen == ["at work", "at its end"]
    assert_nothing_was_lost(ended)
