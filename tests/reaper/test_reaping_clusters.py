"""The reaper over several clusters: what it deletes, what it leaves, and what it says."""

from __future__ import annotations

from datetime import timedelta

import pytest

from multicluster.errors import (
    CloudUnavailableError,
    CredentialError,
    NodePoolBusyError,
    NodePoolRefusedError,
    NodePoolsUnsupportedError,
)
from multicluster.node_pools.lease import GRACE, Lease
from multicluster.node_pools.leftover import Leftover, LeftoverKind
from multicluster.node_pools.pool import Problem
from multicluster.node_pools.reaping import RunState
from multicluster.reaper.plan import Act, Result

HOUR = timedelta(hours=1)
LATER = (HOUR + GRACE).total_seconds()


def deletions(*clusters):
    return [(one.name, pool) for one in clusters for verb, pool in one.pools.asked if verb == "delete"]


def reap(reaper):
    return reaper.carry_out(reaper.plan())


def test_planning_asks_for_nothing_but_facts(cluster, clock, reaper):
    cluster.make()
    clock.advance(LATER)

    plan = reaper().plan()

    assert [step.act for step in plan.steps] == [Act.DELETE]
    assert {verb for verb, _ in cluster.pools.asked} - {"leftovers"} == {"create", "list"}
    assert not plan.clean


def test_a_pool_past_lease_and_grace_is_deleted_and_a_leased_one_is_left(cluster, other, clock, reaper):
    leak = cluster.make("old")
    clock.advance(LATER)
    cluster.make("new")
    other.make("new")

    report = reap(reaper())

    assert deletions(cluster, other) == [("gpu-use1", leak)]
    assert [one.result for one in report.outcomes] == [Result.DONE]
    assert report.clean


def test_nothing_to_do_is_clean(cluster, reaper):
    cluster.make()

    assert reaper().plan().clean


def test_a_lease_renewed_between_plan_and_deletion_is_left(cluster, clock, reaper):
    name = cluster.make()
    clock.advance(LATER)
    reaps = reaper()
    plan = reaps.plan()
    lease = cluster.pools.get(name).lease
    cluster.pools.renew(name, Lease(owner=lease.owner, expires_at=clock() + HOUR, ends_at=lease.ends_at, term=HOUR))

    report = reaps.carry_out(plan)

    assert deletions(cluster) == []
    assert [one.result for one in report.outcomes] == [Result.LEFT]
    assert "lasts 1h00m more" in report.outcomes[0].reason


@pytest.mark.parametrize("tags", [{}, {"multicluster-managed-by": "airflow-multicluster"}])
def test_a_pool_whose_tags_were_taken_away_since_the_plan_is_left(cluster, clock, reaper, tags):
    name = cluster.make()
    clock.advance(LATER)
    reaps = reaper()
    plan = reaps.plan()
    cluster.pools._pools[name].labels = tags

    report = reaps.carry_out(plan)

    assert deletions(cluster) == []
    assert [one.result for one in report.outcomes] == [Result.LEFT]


def test_a_run_that_came_alive_between_plan_and_deletion_keeps_its_pool(cluster, clock, reaper):
    cluster.make()
    clock.advance(GRACE.total_seconds())
    states = [RunState.DEAD]
    reaps = reaper(runs=lambda _lease: states[-1])
    plan = reaps.plan()
    states.append(RunState.ALIVE)

    reaps.carry_out(plan)

    assert [step.act for step in plan.steps] == [Act.DELETE]
    assert deletions(cluster) == []


def test_a_pool_that_went_by_itself_is_no_failure(cluster, clock, reaper):
    name = cluster.make()
    clock.advance(LATER)
    reaps = reaper()
    plan = reaps.plan()
    del cluster.pools._pools[name]

    report = reaps.carry_out(plan)

    assert [one.result for one in report.outcomes] == [Result.LEFT]
    assert report.clean


def test_a_cluster_that_is_not_the_pinned_one_is_left_alone_and_the_others_are_reaped(cluster, other, clock, reaper):
    cluster.make("a")
    cluster.make("b")
    leak = other.make("c")
    clock.advance(LATER)
    cluster.stranger = True

    report = reap(reaper())

    assert deletions(cluster, other) == [("gpu-euw4", leak)]
    assert [one.step.cluster for one in report.of(Result.FAILED)] == ["gpu-use1", "gpu-use1"]
    assert [(one.cluster, "pins" in one.text) for one in report.troubles] == [("gpu-use1", True)]
    assert not report.clean


@pytest.mark.parametrize("error", [CredentialError("no token"), CloudUnavailableError("throttled"), OSError("broken")])
def test_a_cluster_that_cannot_be_looked_at_is_reported_and_the_others_are_reaped(cluster, other, clock, reaper, error):
    leak = other.make()
    clock.advance(LATER)
    cluster.trouble = error

    report = reap(reaper())

    assert deletions(other) == [("gpu-euw4", leak)]
    assert [one.cluster for one in report.troubles] == ["gpu-use1"]
    assert str(error) in report.troubles[0].text
    assert not report.clean


def test_a_cluster_without_node_pools_is_passed_over(cluster, reaper):
    cluster.trouble = NodePoolsUnsupportedError("none here")

    assert reaper().plan().clean


def test_at_most_so_many_are_deleted_in_a_run_the_longest_overstay_first(cluster, other, clock, reaper):
    oldest = cluster.make("a")
    clock.advance(60)
    second = other.make("b")
    clock.advance(60)
    cluster.make("c")
    clock.advance(LATER)

    report = reap(reaper(most=2))

    assert deletions(cluster, other) == [("gpu-use1", oldest), ("gpu-euw4", second)]
    assert [one.result for one in report.outcomes] == [Result.DONE, Result.DONE, Result.LIMITED]
    assert "at most 2" in report.outcomes[-1].reason
    assert not report.clean


def test_by_default_ten_are_deleted_in_a_run(cluster, clock, reaper):
    for number in range(12):
        cluster.make(f"run-{number}")
    clock.advance(LATER)

    report = reap(reaper())

    assert len(deletions(cluster)) == 10
    assert len(report.of(Result.LIMITED)) == 2


def test_a_busy_cloud_is_reported_and_the_next_run_deletes(cluster, clock, reaper):
    name = cluster.make()
    clock.advance(LATER)
    reaps = reaper()
    plan = reaps.plan()
    cluster.pools.get(name)
    cluster.pools.refusals.append(NodePoolBusyError("another operation"))

    busy = reaps.carry_out(plan)
    again = reap(reaps)

    assert [one.result for one in busy.outcomes] == [Result.BUSY]
    assert not busy.clean
    assert [one.result for one in again.outcomes] == [Result.DONE]
    assert deletions(cluster) == [("gpu-use1", name)]


def test_a_refused_deletion_keeps_no_other_alive(cluster, other, clock, reaper):
    cluster.make("a")
    leak = other.make("b")
    clock.advance(LATER)
    reaps = reaper()
    plan = reaps.plan()
    cluster.pools.refusals.append(NodePoolRefusedError("AccessDenied: DescribeNodegroup"))

    report = reaps.carry_out(plan)

    assert sorted(one.result.value for one in report.outcomes) == ["done", "failed"]
    assert deletions(other) == [("gpu-euw4", leak)]
    assert not report.clean


def test_a_failed_pool_is_told_with_its_cause(cluster, clock, reaper):
    cluster.pools.failure = Problem(code="NodeCreationFailure", message="Instances failed to join")
    cluster.make()
    clock.advance(60)

    (step,) = reaper().plan().steps

    assert step.act is Act.LEAVE
    assert "Instances failed to join" in step.problem


def test_a_schedule_without_a_pool_is_released_once_it_is_no_create_in_flight(cluster, clock, reaper):
    left = Leftover(kind=LeftoverKind.SCHEDULE, id="s", pool="mc-x", since=clock(), ours=True)
    cluster.pools._armed["mc-x"] = clock()
    cluster.pools.leftovers = lambda: iter([left] if "mc-x" in cluster.pools._armed else [])

    early = reap(reaper())
    clock.advance(GRACE.total_seconds())
    report = reap(reaper())

    assert early.outcomes == ()
    assert [one.result for one in report.outcomes] == [Result.DONE]
    assert cluster.pools.armed("mc-x") is None


def test_a_schedule_armed_anew_since_the_plan_is_left(cluster, clock, reaper):
    seen = [clock() - HOUR]
    cluster.pools._armed["mc-x"] = clock()
    cluster.pools.leftovers = lambda: iter(
        [Leftover(kind=LeftoverKind.SCHEDULE, id="s", pool="mc-x", since=seen[-1], ours=True)]
    )
    reaps = reaper()
    plan = reaps.plan()
    seen.append(clock())

    report = reaps.carry_out(plan)

    assert [step.act for step in plan.steps] == [Act.RELEASE]
    assert [one.result for one in report.outcomes] == [Result.LEFT]
    assert cluster.pools.armed("mc-x") is not None


@pytest.mark.parametrize(("ours", "act"), [(True, Act.REPORT), (False, Act.LEAVE)])
def test_a_machine_without_a_pool_is_reported_where_it_was_ours(cluster, clock, reaper, ours, act):
    left = Leftover(kind=LeftoverKind.INSTANCE, id="i-1", pool="mc-x", since=clock(), ours=ours)
    cluster.pools.leftovers = lambda: iter([left])

    plan = reaper().plan()

    assert [(step.act, step.name) for step in plan.steps] == [(act, "i-1")]
    assert plan.clean is not ours


def test_a_node_of_a_pool_of_ours_that_is_gone_is_reported(cluster, reaper):
    there = cluster.make("there")
    gone = there.replace(there[-20:], "0123456789abcdef0123")
    cluster.nodes = {"node-a": there, "node-b": gone, "node-c": "somebody-elses", "node-d": "mc-donald"}

    plan = reaper().plan()

    assert [(step.kind.value, step.name) for step in plan.of(Act.REPORT)] == [("node", "node-b")]
    assert not plan.clean


def test_a_listing_that_fails_half_way_hides_no_pool(cluster, clock, reaper):
    leak = cluster.make()
    clock.advance(LATER)
    reaps = reaper()
    reaps._nodes_of = lambda one, _label: one.missing

    report = reap(reaps)

    assert deletions(cluster) == [("gpu-use1", leak)]
    assert {one.cluster for one in report.troubles} == {"gpu-use1", "gpu-euw4"}
    assert not report.clean


def test_a_grace_that_is_too_short_is_refused_at_once(reaper):
    with pytest.raises(NodePoolRefusedError, match="too short"):
        reaper(grace=timedelta(minutes=9))


def test_pools_that_can_never_be_deleted_do_not_use_up_the_runs_of_others(cluster, clock, reaper):
    stuck = [cluster.make("stuck-a"), cluster.make("stuck-b")]
    cluster.pools.deletion_failures += [Problem(code="Ec2SecurityGroupDeletionFailure", message="in use")] * 20
    clock.advance(LATER)
    reap(reaper(most=2))
    fresh = cluster.make("fresh")
    clock.advance(LATER)

    reap(reaper(most=2))

    assert deletions(cluster)[:2] == [("gpu-use1", name) for name in sorted(stuck)]
    assert ("gpu-use1", fresh) in deletions(cluster)
