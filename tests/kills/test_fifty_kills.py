"""Whatever of Airflow is killed, no node pool is left behind once its lease is over."""

from __future__ import annotations

from collections import Counter

import pytest

pytestmark = [pytest.mark.endings, pytest.mark.timeout(900)]


def test_fifty_were_killed_of_every_kind(outcome):
    assert Counter(kill.kind for kill in outcome.kills) == {
        "task runner": 20,
        "triggerer": 12,
        "scheduler": 9,
        "api-server": 9,
    }


def test_pools_were_made_in_both_clouds(outcome):
    assert {stay.target.partition("/")[0] for stay in outcome.stays} == {"gpu-use1", "gpu-euw4"}
    assert len(outcome.stays) >= 10


def test_nothing_is_left_in_the_clouds(outcome):
    assert (outcome.pools_left, outcome.instances_left, outcome.schedules_left) == ((), (), ())


def test_what_nobody_of_airflow_deleted_was_deleted_by_its_lease(outcome):
    assert any(one.endswith(": ok") for one in outcome.fired) or any("done pool" in one for one in outcome.reaped)


def test_every_run_has_ended(outcome):
    assert {run: state for run, state in outcome.runs.items() if state not in ("success", "failed")} == {}


def test_no_pool_has_outlived_its_lease_by_more_than_the_bound(outcome):
    from kills_stage.show import BOUND

    assert {stay.target: stay.overstay for stay in outcome.stays if stay.overstay > BOUND} == {}
