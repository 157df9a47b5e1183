"""What is counted of node pools."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from airflow_multicluster import stats
from multicluster.errors import AccessError
from multicluster.node_pools.lease import Lease
from multicluster.node_pools.pool import NodePool, NodePoolState
from multicluster.reaper.gpu_use import GpuUse
from multicluster.reaper.plan import Act, Kind, Outcome, Plan, Report, Result, Step, Trouble

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Recorder:
    """Keeps what was counted: (name, value, tags)."""

    def __init__(self):
        self.seen = []

    def incr(self, name, count=1, *, tags=None):
        self.seen.append((name, count, tags))

    def gauge(self, name, value, *, tags=None):
        self.seen.append((name, value, tags))

    timing = gauge


@pytest.fixture
def counted(monkeypatch):
    made = Recorder()
    monkeypatch.setattr(stats, "Stats", made)
    return made


def step(cluster, name, *, left, act=Act.LEAVE, ours=True, state=NodePoolState.ACTIVE):
    lease = Lease(owner="a1b2", expires_at=NOW + timedelta(minutes=left)) if ours else None
    pool = NodePool(name=name, state=state, status="ACTIVE", node_selector=("pool", name), lease=lease)
    return Step(cluster=cluster, kind=Kind.POOL, name=name, act=act, reason="so", pool=pool)


def plan(*steps, blind=()):
    troubles = tuple(Trouble(cluster=name, text="no answer") for name in blind)
    return Plan(made_at=NOW, clusters=("east", "west"), steps=steps, troubles=troubles)


def done(of, result=Result.DONE):
    return Outcome(step=of, result=result, reason="so")


def test_a_run_of_the_reaper_tells_our_pools_by_cluster_the_longest_overstay_and_what_it_reaped(counted):
    old, busy = step("east", "old", left=-30, act=Act.DELETE), step("east", "busy", left=-10, act=Act.DELETE)
    schedule = Step(cluster="east", kind=Kind.SCHEDULE, name="old", act=Act.RELEASE, reason="so")
    found = plan(step("west", "young", left=20), old, busy, schedule, step("west", "theirs", left=-900, ours=False))
    east, west = {"cluster": "east"}, {"cluster": "west"}

    stats.reaper_ran(Report(plan=found, outcomes=(done(old), done(busy, Result.BUSY), done(schedule))))

    assert counted.seen == [
        ("multicluster.pools.alive", 2, None),
        ("multicluster.pools.alive.east", 1, east),
        ("multicluster.pools.alive.west", 1, west),
        ("multicluster.pools.overstay_seconds", 1800.0, None),
        ("multicluster.pools.reaped", 1, east),
        ("multicluster.pools.reaped_overstay", timedelta(minutes=30), east),
    ]


def test_a_cluster_that_could_not_be_looked_at_is_not_told_to_be_empty(counted):
    stats.reaper_ran(Report(plan=plan(blind=("east",)), outcomes=()))

    names = [name for name, _, _ in counted.seen]
    assert "multicluster.pools.alive.west" in names
    assert "multicluster.pools.alive.east" not in names


def test_without_overstay_the_gauge_goes_back_to_zero(counted):
    stats.reaper_ran(Report(plan=plan(step("east", "one", left=20)), outcomes=()))

    assert ("multicluster.pools.overstay_seconds", 0.0, None) in counted.seen


@pytest.fixture
def uses(monkeypatch):
    """Have so many idle GPUs on each cluster; an error is raised. Returns what was asked."""
    asked = {}

    def lend(**idle):
        def use(cluster, pools):
            asked[cluster.name] = pools
            found = idle[cluster.name]
            if isinstance(found, Exception):
                raise found
            return GpuUse(ready=99, idle=found if pools else 0)

        monkeypatch.setattr("multicluster.reaper.gpu_use.gpu_use_on", use)
        return asked

    return lend


CLUSTERS = [SimpleNamespace(name="east"), SimpleNamespace(name="west")]


@pytest.mark.parametrize(
    ("since", "seconds"), [(timedelta(minutes=10), 1800), (timedelta(days=3), 3 * 3600), (None, None)]
)
def test_idle_gpus_are_counted_for_the_time_since_the_last_look_and_for_an_hour_at_most(counted, uses, since, seconds):
    asked = uses(east=3, west=5)
    pending = step("east", "coming", left=20, state=NodePoolState.PENDING)

    stats.gpus_idle(CLUSTERS, plan(step("east", "one", left=20), pending), since_last=since)

    assert asked == {"east": {"one"}, "west": set()}
    idle_seconds = [] if seconds is None else [("multicluster.gpus.idle_seconds", seconds, None)]
    assert counted.seen == [("multicluster.gpus.idle", 3, None), *idle_seconds]


def test_a_cluster_that_does_not_answer_is_left_out_and_told(counted, uses, caplog):
    uses(east=AccessError("no answer from east"), west=2)
    found = plan(step("east", "one", left=20), step("west", "two", left=20))

    stats.gpus_idle(CLUSTERS, found, since_last=timedelta(seconds=10))

    assert counted.seen == [("multicluster.gpus.idle", 2, None), ("multicluster.gpus.idle_seconds", 20, None)]
    assert "no answer from east" in caplog.text


def test_a_bracket_counts_its_pool_once(run, counted):
    run("work", cluster="gpu-use1")

    assert counted.seen == [("multicluster.pools.created", 1, {"cluster": "gpu-use1"})]
