"""How worker and triggerer keep a pool's lease beside what they wait for."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import threading
import time
from collections import Counter
from datetime import timedelta
from types import SimpleNamespace

import pytest

from airflow_multicluster import lease_keeping
from airflow_multicluster.hooks import cluster as cluster_hook
from multicluster.access.clock import system_clock
from multicluster.brackets.keeping import LeaseKeeper
from multicluster.brackets.place import Place
from multicluster.errors import CloudUnavailableError
from multicluster.node_pools.lease import Lease
from multicluster.node_pools.pool import NodePoolSpec
from multicluster.node_pools.profile import NodePoolProfile
from multicluster.testing.fake_node_pools import FakeNodePools, Pace

PLACE = Place(cluster="nam", pool="mc-train-0", owner="0" * 20)
NAMES = {"node_pool": PLACE.pool, "owner": PLACE.owner}
HOUR = timedelta(hours=1)
LOG = logging.getLogger(__name__)
PATIENCE = 60


@pytest.fixture
def pools(monkeypatch):
    """Give a pool whose lease is due, on the cluster ``nam``, to a process that keeps none yet."""
    made = FakeNodePools(clock=system_clock, pace=Pace(launched=0, ready=0, active=0))
    spec = NodePoolSpec(name=PLACE.pool, size=1, profile=NodePoolProfile(instance_types=("g6.xlarge",)))
    now = system_clock()
    made.create(spec, Lease(owner=PLACE.owner, expires_at=now + HOUR / 6, ends_at=now + 9 * HOUR, term=HOUR))
    made.asked.clear()
    keeper = LeaseKeeper()
    monkeypatch.setattr(lease_keeping, "process_keeper", lambda: keeper)
    monkeypatch.setattr(lease_keeping, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(cluster_hook, "find_cluster", lambda name: cluster(made))
    return made


def cluster(pools):
    return SimpleNamespace(name="nam", node_pools=lambda: pools)


def renewed(pools):
    return ("renew", PLACE.pool) in pools.asked


def until(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


async def until_async(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        await asyncio.sleep(0.01)


def keepers():
    return [thread for thread in threading.enumerate() if thread.name == f"lease of {PLACE.pool}"]


def test_a_worker_renews_the_lease_beside_its_wait_and_stops_with_it(pools):
    with lease_kept(pools):
        until(lambda: renewed(pools))
        during = len(keepers())

    assert (during, keepers()) == (1, [])
    assert pools.get(PLACE.pool).lease.expires_at > system_clock() + HOUR / 2


def lease_kept(pools):
    return lease_keeping.lease_kept(PLACE, lambda name: cluster(pools), LOG)


def test_a_wait_that_fails_stops_it_too(pools):
    with pytest.raises(RuntimeError, match="the pod failed"), lease_kept(pools):
        raise RuntimeError("the pod failed")

    assert keepers() == []


def test_a_cloud_that_fails_is_told_in_the_log_and_disturbs_no_wait(pools, caplog):
    pools.refusals = [CloudUnavailableError("throttled")]
    with caplog.at_level("INFO"), lease_kept(pools):
        until(lambda: "throttled" in caplog.text)

    assert "which is tried again" in caplog.text


def test_a_pool_that_is_lost_is_told_as_an_error_and_once(pools, caplog):
    pools.delete(PLACE.pool)
    with caplog.at_level("INFO"), lease_kept(pools):
        until(lambda: "is being deleted" in caplog.text)
        until(lambda: len(pools.asked) > 1)

    (told,) = [one for one in caplog.records if "is being deleted" in one.getMessage()]
    assert told.levelname == "ERROR"


def test_a_hundred_triggers_of_a_pool_renew_its_lease_once_and_each_tells_of_it(pools, caplog):
    async def main():
        over = asyncio.Event()

        async def wait():
            async with lease_keeping.lease_kept_for("nam", **NAMES, log=LOG):
                await over.wait()

        waiting = [asyncio.create_task(wait()) for _ in range(100)]
        await until_async(lambda: caplog.text.count("(renewed)") >= 100)
        over.set()
        await asyncio.gather(*waiting)

    with caplog.at_level("INFO"):
        asyncio.run(main())

    assert Counter(verb for verb, _ in pools.asked) == {"get": 1, "renew": 1, "armed": 1}


def test_a_cloud_that_takes_its_time_holds_up_no_event_loop(pools):
    answered, looped = threading.Event(), []
    plain = pools.renew

    def slow(name, lease):
        assert answered.wait(PATIENCE)
        plain(name, lease)

    pools.renew = slow

    async def main():
        async with lease_keeping.lease_kept_for("nam", **NAMES, log=LOG):
            await until_async(lambda: ("get", PLACE.pool) in pools.asked)
            looped.append(renewed(pools))
            answered.set()
            await until_async(lambda: renewed(pools))

    asyncio.run(main())

    assert looped == [False]


@pytest.mark.parametrize("error", [None, RuntimeError("the pod failed")])
def test_a_trigger_that_ends_leaves_no_task_behind(pools, error):
    async def main():
        try:
            async with lease_keeping.lease_kept_for("nam", **NAMES, log=LOG):
                if error:
                    raise error
        except RuntimeError:
            pass
        return len(asyncio.all_tasks())

    assert asyncio.run(main()) == 1


def test_a_trigger_that_is_cancelled_ends_though_the_cloud_does_not_answer(pools):
    answered = threading.Event()
    pools.renew = lambda name, lease: answered.wait(PATIENCE)

    async def wait():
        async with lease_keeping.lease_kept_for("nam", **NAMES, log=LOG):
            await asyncio.Event().wait()

    async def main():
        waiting = asyncio.create_task(wait())
        await until_async(lambda: ("get", PLACE.pool) in pools.asked)
        waiting.cancel()
        await asyncio.wait([waiting], timeout=PATIENCE)
        ended = (waiting.cancelled(), answered.is_set())
        answered.set()  # the loop waits for its threads
        return ended

    assert asyncio.run(main()) == (True, False)


def test_without_a_pool_nothing_is_kept(pools):
    async def main():
        async with lease_keeping.lease_kept_for("nam", log=LOG):
            return len(asyncio.all_tasks())

    assert asyncio.run(main()) == 1
    assert pools.asked == []


def _look(parent):
    keeper = lease_keeping.process_keeper()
    raise SystemExit(0 if id(keeper) != parent and keeper.known(PLACE) is None else 1)


def test_a_forked_child_has_a_keeper_of_its_own_and_no_lock_that_its_parent_holds():
    keeper = lease_keeping.process_keeper()
    fork = multiprocessing.get_context("fork")
    with keeper._lock:
        child = fork.Process(target=_look, args=(id(keeper),))
        child.start()
        child.join(PATIENCE)
        ended = child.exitcode
        if ended is None:
            child.kill()

    assert ended == 0
    assert lease_keeping.process_keeper() is keeper
