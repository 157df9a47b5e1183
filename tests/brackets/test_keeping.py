"""How the leases of pools are kept by those who wait for them."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta
from types import SimpleNamespace

import pytest

from multicluster.brackets.keeping import EVERY, LeaseKeeper
from multicluster.brackets.place import Place
from multicluster.errors import CloudUnavailableError, NodePoolBusyError, NodePoolRefusedError
from multicluster.node_pools.lease import GRACE, LATE, Lease
from multicluster.node_pools.pool import NodePoolSpec
from multicluster.node_pools.profile import NodePoolProfile
from multicluster.testing.fake_clock import FakeClock
from multicluster.testing.fake_node_pools import FakeNodePools, Pace

HOUR = timedelta(hours=1)
SPEC = NodePoolSpec(name="mc-train-0", size=1, profile=NodePoolProfile(instance_types=("g6.xlarge",)))
PLACE = Place(cluster="nam", pool=SPEC.name, owner="0" * 20)
LOOK = 20.0


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def pools(clock):
    made = FakeNodePools(clock=clock, pace=Pace(launched=0, ready=0, active=0))
    rent(made, clock)
    made.asked.clear()
    return made


@pytest.fixture
def find(pools):
    return lambda name: SimpleNamespace(name=name, node_pools=lambda: pools)


@pytest.fixture
def keeper(clock):
    return LeaseKeeper(clock=clock, share=0.5)


def rent(pools, clock, *, ends=timedelta(hours=24), owner=PLACE.owner):
    now = clock()
    pools.create(SPEC, Lease(owner=owner, expires_at=now + HOUR, ends_at=now + ends, term=HOUR))


def asked(pools):
    return Counter(verb for verb, _ in pools.asked)


def left(pools, clock):
    return pools.get(SPEC.name).lease.expires_at - clock()


def wait(keepers, find, clock, hours, *, looks=1):
    """Let each process look, so many times every 20 seconds, and return the least time that any lease had left."""
    least = timedelta.max
    for _ in range(int(hours * 3600 / LOOK)):
        clock.advance(LOOK)
        for keeper in keepers:
            for _ in range(looks):
                assert not keeper.look(PLACE, find).lost
        pool = next(find("nam").node_pools().list())
        least = min(least, pool.lease.expires_at - clock())
    return least


def test_a_hundred_waits_in_a_process_renew_a_lease_twice_a_term_and_ask_hardly_more(keeper, pools, find, clock):
    least = wait([keeper], find, clock, 10, looks=100)

    assert least >= HOUR / 2 - timedelta(seconds=LOOK)
    assert 19 <= asked(pools)["renew"] <= 21
    assert max(asked(pools)[verb] for verb in ("get", "armed")) <= 22


def test_many_processes_renew_hardly_more_often_than_one(pools, find, clock):
    keepers = [LeaseKeeper(clock=clock) for _ in range(40)]
    least = wait(keepers, find, clock, 10)

    assert least >= HOUR * 0.4 - timedelta(seconds=LOOK)
    assert asked(pools)["renew"] <= 25
    assert asked(pools)["get"] <= 40 * 25


def test_processes_renew_at_shares_of_their_own_below_one_half():
    shares = {LeaseKeeper()._share for _ in range(20)}

    assert len(shares) == 20
    assert all(0.4 <= share <= 0.5 for share in shares)


@pytest.mark.parametrize("trouble", [NodePoolBusyError("an operation"), CloudUnavailableError("throttled")])
def test_trouble_ends_no_wait_and_is_met_once_a_minute_at_most(keeper, pools, find, clock, trouble):
    keeper.look(PLACE, find)
    clock.advance(31 * 60)
    pools.refusals = [trouble] * 100
    pools.asked.clear()
    found = []
    for _ in range(30):
        clock.advance(LOOK)
        found.append(keeper.look(PLACE, find))

    assert len(pools.asked) == 10
    assert [one.lost for one in found] == [False] * 30
    assert f"which is tried again: {type(trouble).__name__}: {trouble}" in found[-1].text


def test_a_renewal_that_failed_is_done_when_the_trouble_is_over(keeper, pools, find, clock):
    keeper.look(PLACE, find)
    clock.advance(31 * 60)
    pools.refusals = [CloudUnavailableError("throttled")] * 3
    for _ in range(30):
        clock.advance(LOOK)
        last = keeper.look(PLACE, find)

    assert not last.lost
    assert left(pools, clock) > HOUR / 2


def test_a_right_that_is_missing_is_told_and_ends_no_wait(keeper, pools, find, clock):
    pools.refusals = [NodePoolRefusedError("not authorized: eks:DescribeNodegroup")]

    kept = keeper.look(PLACE, find)

    assert (kept.lost, "eks:DescribeNodegroup" in kept.text) == (False, True)


def test_an_error_nobody_thought_of_ends_no_wait(keeper):
    def broken(name):
        raise OSError("no space left on device")

    assert "no space left" in keeper.look(PLACE, broken).text


def test_threads_that_ask_at_the_same_moment_ask_the_cloud_once(keeper, pools, find, clock):
    clock.advance(40 * 60)
    start = threading.Barrier(30)
    threads = [threading.Thread(target=lambda: (start.wait(), keeper.look(PLACE, find))) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert asked(pools) == {"get": 1, "renew": 1, "armed": 1}


def test_while_one_asks_the_others_know_what_was_known(keeper, pools, find, clock):
    before = keeper.look(PLACE, find)
    clock.advance(40 * 60)
    seen = []
    pools_renew = pools.renew

    def renew(name, lease):
        seen.append(keeper.look(PLACE, find))
        pools_renew(name, lease)

    pools.renew = renew
    after = keeper.look(PLACE, find)

    assert seen == [before]
    assert "(renewed)" in after.text


def test_a_lease_that_was_over_too_long_is_lost_and_never_renewed(keeper, pools, find, clock):
    clock.advance(HOUR.total_seconds() + LATE.total_seconds() + 1)

    kept = keeper.look(PLACE, find)

    assert kept.lost
    assert "its lease was over at 2026-11-21 13:00:00 UTC, and now it is 2026-11-21 13:05:01 UTC" in kept.text
    assert "renew" not in asked(pools)


def test_a_lease_that_is_just_over_is_still_renewed(keeper, pools, find, clock):
    clock.advance(HOUR.total_seconds() + LATE.total_seconds())

    assert not keeper.look(PLACE, find).lost
    assert left(pools, clock) == HOUR


def test_a_pool_of_another_owner_is_never_renewed(keeper, clock, find, pools):
    pools.delete(SPEC.name)
    clock.advance(301)
    rent(pools, clock, owner="1" * 20)
    pools.asked.clear()
    clock.advance(40 * 60)

    kept = keeper.look(PLACE, find)

    assert (kept.lost, "belongs to owner 1111" in kept.text) == (True, True)
    assert "renew" not in asked(pools)


def test_a_pool_that_lost_its_tags_is_never_renewed(keeper, clock, find, pools):
    pools.delete(SPEC.name)
    clock.advance(301)
    pools.add_strange(SPEC)

    kept = keeper.look(PLACE, find)

    assert (kept.lost, "lease tags are missing" in kept.text) == (True, True)


@pytest.mark.parametrize("fate", [(1, "is being deleted"), (301, "is gone")])
def test_a_pool_on_its_way_out_is_told_of_and_not_renewed(keeper, pools, find, clock, fate):
    after, words = fate
    clock.advance(40 * 60)
    pools.delete(SPEC.name)
    clock.advance(after)

    kept = keeper.look(PLACE, find)

    assert (kept.lost, words in kept.text) == (True, True)
    assert "renew" not in asked(pools)


def test_a_pool_that_was_made_again_is_kept_again(keeper, pools, find, clock):
    pools.delete(SPEC.name)
    clock.advance(301)
    lost = keeper.look(PLACE, find).lost
    rent(pools, clock)
    still_told = keeper.look(PLACE, find).lost
    keeper.forget(PLACE)

    assert (lost, still_told, keeper.look(PLACE, find).lost) == (True, True, False)


def test_what_was_lost_is_looked_at_again_after_a_minute(keeper, pools, find, clock):
    pools.delete(SPEC.name)
    clock.advance(301)
    keeper.look(PLACE, find)
    rent(pools, clock)
    clock.advance(EVERY.total_seconds())

    assert not keeper.look(PLACE, find).lost


def test_nothing_renews_beyond_the_end(keeper, clock, find, pools):
    pools.delete(SPEC.name)
    clock.advance(301)
    rent(pools, clock, ends=timedelta(hours=3))
    end = pools.get(SPEC.name).lease.ends_at
    pools.asked.clear()
    for _ in range(int(3 * 3600 / LOOK)):
        clock.advance(LOOK)
        keeper.look(PLACE, find)

    assert pools.get(SPEC.name).lease.expires_at == end
    assert asked(pools)["get"] <= 8


def test_a_lease_without_a_term_is_left_as_it_is(keeper, clock, find, pools):
    pools.delete(SPEC.name)
    clock.advance(301)
    pools.create(SPEC, Lease(owner=PLACE.owner, expires_at=clock() + HOUR))
    clock.advance(50 * 60)

    kept = keeper.look(PLACE, find)

    assert (kept.lost, "renew" in asked(pools)) == (False, False)


class Skewed:
    """A clock that goes wrong by so many seconds."""

    def __init__(self, clock, seconds):
        self.clock, self.seconds = clock, seconds

    def __call__(self):
        return self.clock() + timedelta(seconds=self.seconds)


def test_clocks_that_differ_neither_lose_a_lease_nor_fight_over_it(pools, find, clock):
    keepers = [LeaseKeeper(clock=Skewed(clock, minutes * 60)) for minutes in (-20, -5, 0, 5, 20)]
    least = wait(keepers, find, clock, 10)

    assert least > timedelta()
    assert asked(pools)["renew"] <= 10 * 3


def test_a_clock_that_is_set_back_makes_nobody_rest_too_long(pools, find, clock):
    moment = Skewed(clock, 0)
    keeper = LeaseKeeper(clock=moment, share=0.5)
    keeper.look(PLACE, find)
    clock.advance(20 * 60)
    moment.seconds = -2 * 3600
    pools.asked.clear()
    keeper.look(PLACE, find)

    assert asked(pools)["get"] == 1


def test_the_dead_man_switch_moves_with_the_lease_and_the_log_says_so(keeper, pools, find, clock):
    clock.advance(40 * 60)

    text = keeper.look(PLACE, find).text

    assert pools.armed(SPEC.name) == clock() + HOUR + GRACE
    assert text == (
        "node pool 'mc-train-0' on cluster 'nam' is leased until 2026-11-21 13:40:00 UTC (renewed), at most until "
        "2026-11-22 12:00:00 UTC; the cloud ends it by itself at 2026-11-21 13:55:00 UTC"
    )


def test_who_has_just_read_the_pool_renews_it_without_reading_again(keeper, pools, clock):
    clock.advance(40 * 60)
    pool = pools.get(SPEC.name)
    pools.asked.clear()

    keeper.see(PLACE, pools, pool)

    assert asked(pools) == {"renew": 1, "armed": 1}


def test_who_wants_to_know_it_now_is_told_what_is_so_now(keeper, pools, find, clock):
    before = keeper.look(PLACE, find)
    pools.delete(SPEC.name)

    assert keeper.look(PLACE, find) == before
    assert keeper.look(PLACE, find, fresh=True).lost
    assert keeper.look(PLACE, find).lost


def test_who_wants_to_know_it_now_renews_no_more_than_once_a_minute(keeper, pools, find, clock):
    clock.advance(40 * 60)
    pools.refusals = [CloudUnavailableError("throttled")]
    for _ in range(3):
        keeper.look(PLACE, find, fresh=True)
    within = asked(pools)["renew"]
    clock.advance(EVERY.total_seconds())
    keeper.look(PLACE, find, fresh=True)

    assert (within, asked(pools)["renew"]) == (0, 1)


def test_what_nobody_waits_for_any_more_is_forgotten(keeper, pools, find, clock):
    for number in range(50):
        keeper.look(Place(cluster="nam", pool=f"mc-{number}", owner=PLACE.owner), find)
    clock.advance(2 * 3600)
    keeper.look(PLACE, find)

    assert len(keeper._known) == 1


def test_what_is_known_is_there_without_asking(keeper, pools, find, clock):
    before = keeper.known(PLACE)
    kept = keeper.look(PLACE, find)
    known = keeper.known(PLACE)
    clock.advance(40 * 60)

    assert (before, known, keeper.known(PLACE)) == (None, kept, None)


def test_a_name_that_leads_elsewhere_by_now_renews_nothing_there(keeper, pools, clock):
    document = SimpleNamespace(auth=SimpleNamespace(options=SimpleNamespace(model_dump=lambda mode: {"context": "c"})))
    cluster = SimpleNamespace(name="nam", kind="kubeconfig", document=document, node_pools=lambda: pools)
    place = Place(cluster="nam", pool=SPEC.name, owner=PLACE.owner, address="f" * 16)
    clock.advance(40 * 60)

    assert "another cluster" in keeper.look(place, lambda _: cluster).text
    assert pools.asked == []
