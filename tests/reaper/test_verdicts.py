"""The pure judge of a pool's end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from multicluster.errors import NodePoolRefusedError
from multicluster.node_pools.lease import GRACE, LATE, Lease
from multicluster.node_pools.pool import NodePool, NodePoolState, Problem
from multicluster.node_pools.reaping import Fate, RunState, reaping, refuse_short

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


def pool(*, over=timedelta(), end_over=-5 * HOUR, age=8 * HOUR, term=HOUR, **changes):
    """Make a pool whose lease is over for so long; negative: it lasts."""
    lease = Lease(owner="a1", expires_at=NOW - over, ends_at=NOW - end_over, term=term)
    facts = {"name": "mc-a1", "state": NodePoolState.ACTIVE, "status": "ACTIVE", "node_selector": ("pool", "mc-a1")}
    created = {"created_at": NOW - age if age is not None else None}
    return NodePool(**{**facts, **created, "lease": lease, "claimed": True, **changes})


def fate(one, **facts):
    return reaping(one, now=NOW, **facts).fate


@pytest.mark.parametrize("run", RunState)
def test_a_pool_of_nobody_we_know_is_left_whatever_its_run(run):
    assert fate(pool(over=9 * HOUR, lease=None, claimed=False), run=run) is Fate.LEAVE


@pytest.mark.parametrize("run", RunState)
def test_a_pool_that_claims_to_be_ours_without_a_lease_is_reported_and_never_deleted(run):
    verdict = reaping(pool(over=9 * HOUR, lease=None), now=NOW, run=run)

    assert verdict.fate is Fate.REPORT
    assert "by hand" in verdict.reason


@pytest.mark.parametrize("run", RunState)
@pytest.mark.parametrize("status", ["ACTIVE", "DELETE_FAILED"])
def test_a_pool_that_a_person_keeps_is_left_even_past_its_end(run, status):
    verdict = reaping(pool(over=9 * HOUR, end_over=9 * HOUR, keep=True, status=status), now=NOW, run=run)

    assert verdict.fate is Fate.LEAVE
    assert "multicluster-keep" in verdict.reason
    assert "over for 9h00m" in verdict.reason


def test_a_pool_on_its_way_out_is_left():
    assert fate(pool(over=9 * HOUR, end_over=9 * HOUR, state=NodePoolState.DELETING, status="DELETING")) is Fate.LEAVE


@pytest.mark.parametrize("run", [RunState.NOT_ASKED, RunState.UNKNOWN])
@pytest.mark.parametrize(("over", "expected"), [(GRACE - SECOND, Fate.LEAVE), (GRACE, Fate.DELETE)])
def test_without_word_of_its_run_a_pool_lives_for_its_lease_and_the_grace(run, over, expected):
    assert fate(pool(over=over), run=run) is expected


def test_a_longer_grace_is_heeded():
    assert fate(pool(over=HOUR), grace=2 * HOUR) is Fate.LEAVE
    assert fate(pool(over=2 * HOUR), grace=2 * HOUR) is Fate.DELETE


@pytest.mark.parametrize("over", [-HOUR, HOUR])
def test_the_pool_of_a_live_run_lives_until_its_hard_cap(over):
    assert fate(pool(over=over, end_over=GRACE - SECOND), run=RunState.ALIVE) is Fate.LEAVE
    assert fate(pool(over=over, end_over=GRACE), run=RunState.ALIVE) is Fate.DELETE


def test_the_pool_of_a_dead_run_goes_at_once_though_its_lease_lasts():
    verdict = reaping(pool(over=-HOUR), now=NOW, run=RunState.DEAD)

    assert verdict.fate is Fate.DELETE
    assert "run has ended" in verdict.reason
    assert "lasts 1h00m more" in verdict.reason


@pytest.mark.parametrize("run", RunState)
def test_a_pool_younger_than_the_grace_is_left(run):
    assert fate(pool(over=-HOUR, age=GRACE - SECOND), run=run) is Fate.LEAVE


@pytest.mark.parametrize("run", RunState)
def test_a_birth_in_the_far_future_protects_nothing(run):
    assert fate(pool(over=9 * HOUR, end_over=9 * HOUR, age=-1000 * HOUR), run=run) is Fate.DELETE


def test_where_the_cloud_tells_no_age_the_lease_does():
    """GKE. A lease written just now is a create, or a renewal, in flight; one without a term tells nothing."""
    written = pool(over=-50 * MINUTE, age=None)
    assert fate(written, run=RunState.DEAD) is Fate.LEAVE
    assert fate(pool(over=-40 * MINUTE, age=None), run=RunState.DEAD) is Fate.DELETE
    assert fate(pool(over=-40 * MINUTE, age=None, term=None), run=RunState.DEAD) is Fate.LEAVE
    assert fate(pool(over=GRACE, age=None, term=None), run=RunState.DEAD) is Fate.DELETE


def test_a_lease_without_an_end_ends_with_its_expiry():
    lease = Lease(owner="a1", expires_at=NOW - GRACE)
    assert fate(pool(lease=lease), run=RunState.ALIVE) is Fate.DELETE


def test_a_failed_deletion_is_asked_for_again_with_its_cause_unless_its_run_is_alive():
    problem = Problem(code="Ec2SecurityGroupDeletionFailure", message="has a dependent object")
    failed = pool(over=-HOUR, state=NodePoolState.FAILED, status="DELETE_FAILED", problems=(problem,))

    verdict = reaping(failed, now=NOW)

    assert verdict.fate is Fate.DELETE
    assert "has a dependent object" in verdict.reason
    assert fate(failed, run=RunState.ALIVE) is Fate.LEAVE


def test_a_failed_creation_goes_by_its_lease():
    failed = pool(over=-HOUR, state=NodePoolState.FAILED, status="CREATE_FAILED")

    assert fate(failed) is Fate.LEAVE
    assert fate(failed, run=RunState.DEAD) is Fate.DELETE


def test_a_grace_in_which_a_late_renewal_could_meet_the_reaper_is_refused():
    with pytest.raises(NodePoolRefusedError, match="too short"):
        refuse_short(2 * LATE - SECOND)
    refuse_short(2 * LATE)
    assert GRACE >= 2 * LATE
