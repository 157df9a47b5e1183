"""What becomes of a task whose pod is well, but whose API server is not."""

from __future__ import annotations

import pytest
from endings_stage import deeds
from endings_stage.script import Script, ending_of

from multicluster.simulator.faults import HttpError

pytestmark = pytest.mark.endings
UNAUTHORIZED = HttpError(code=401, reason="Unauthorized", message="Unauthorized")
TOO_MANY = HttpError(code=429, reason="TooManyRequests", message="too many", headers={"Retry-After": "2"})
BROKEN = HttpError(code=500, reason="InternalError", message="etcdserver: leader changed")


def assert_nothing_was_lost(ended):
    assert (ended.state, ended.run) == ("success", "success")
    assert (ended.tries, ended.made) == (1, 1)
    assert (ended.working, ended.left) == ((), ())


@ending_of(Script(name="outage", deed=deeds.outage, line=True))
def test_pain_22_an_api_server_that_is_down_for_two_minutes_costs_nothing(ended):
    assert_nothing_was_lost(ended)


@ending_of(Script(name="unauthorized", before=deeds.weather(UNAUTHORIZED), deed=deeds.release, cluster="gke"))
def test_pain_01_a_401_at_each_step_costs_nothing(stage, scripts, mode, ended):
    assert deeds.struck(stage.plays[scripts[0].name, mode])["create pods"] == 1
    assert_nothing_was_lost(ended)


@ending_of(Script(name="tokens-expire", deed=deeds.expire_tokens, cluster="gpu"))
def test_pain_01_tokens_that_expire_at_each_step_cost_nothing(ended):
    assert_nothing_was_lost(ended)


@ending_of(Script(name="too-many", before=deeds.weather(TOO_MANY, times=2), deed=deeds.release))
def test_pain_22_a_429_with_retry_after_at_each_step_costs_nothing(stage, scripts, mode, ended):
    assert deeds.struck(stage.plays[scripts[0].name, mode])["create pods"] == 2
    assert_nothing_was_lost(ended)


@ending_of(Script(name="broken", before=deeds.weather(BROKEN, times=2), deed=deeds.release))
def test_pain_22_a_500_at_each_step_costs_nothing(stage, scripts, mode, ended):
    assert deeds.struck(stage.plays[scripts[0].name, mode])["create pods"] == 2
    assert_nothing_was_lost(ended)


@ending_of(Script(name="slow-loris", deed=deeds.slow_loris, line=True))
def test_answers_that_drip_in_cost_nothing(ended):
    assert_nothing_was_lost(ended)
