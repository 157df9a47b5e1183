"""With nobody of ours alive AWS ends a pool after its lease: the simulated Scheduler, with the shipped rights only."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from multicluster.errors import NodePoolRefusedError
from multicluster.node_pools.lease import GRACE

from . import aws_bench as work
from .aws_bench import NAME, SPEC, AwsBench, active
from .documents import policy

TERM = timedelta(hours=1)
MINUTE = 60


@pytest.fixture
def bench() -> Iterator[AwsBench]:
    """A world whose dead man has the shipped policy; we have those for making pools, until we are dead."""
    with pytest.MonkeyPatch.context() as patch:
        for made in work.bench(patch):
            made.world.aws.policies.attach(made.dead_man, policy("dead-man"))
            made.attach(policy("node-pools"), policy("dead-man-arm"))
            yield made


def calls(bench: AwsBench) -> int:
    """How often anybody called AWS from outside."""
    return sum(bench.world.aws.gateway.calls.values())


def make(bench: AwsBench, term: timedelta = TERM) -> int:
    """Ask for a pool, and die: return how many calls AWS has seen by then."""
    bench.pools_of(bench.session).create(SPEC, bench.lease(term))
    bench.attach()  # nothing that we might still call would be heard
    return calls(bench)


def test_a_pool_is_gone_soon_after_its_lease_though_nobody_of_ours_calls(bench: AwsBench) -> None:
    last = make(bench)

    bench.clock.advance((TERM + GRACE).total_seconds() - MINUTE)
    before = [group.state for group in bench.groups()]
    bench.clock.advance(2 * MINUTE)
    after = [group.state for group in bench.groups()]
    bench.until(lambda: not bench.groups())

    assert [str(state) for state in before] == ["ACTIVE"]
    assert [str(state) for state in after] == ["DELETING"]
    assert calls(bench) == last
    assert bench.world.report().nodes_left == ()


def test_the_schedule_is_gone_with_what_it_did(bench: AwsBench) -> None:
    make(bench)

    bench.clock.advance((TERM + GRACE).total_seconds() + MINUTE)
    bench.until(lambda: bench.world.aws.schedules.fired)

    assert [one.outcome for one in bench.world.aws.schedules.fired] == ["ok"]
    assert bench.world.aws.schedules.all == {}


def test_a_pool_that_is_still_being_made_is_asked_for_again_until_it_can_be_deleted(bench: AwsBench) -> None:
    bench.world.inject("no-capacity")
    last = make(bench, term=timedelta(minutes=1))

    bench.clock.advance(GRACE.total_seconds() + 2 * MINUTE)
    (group,) = bench.groups()
    state = str(group.state)
    bench.until(lambda: not bench.groups())

    assert state == "CREATING"
    assert calls(bench) == last
    assert bench.world.aws.schedules.fired[0].attempts > 1


def test_a_renewal_that_died_between_the_switch_and_the_tags_kills_no_live_pool(bench: AwsBench) -> None:
    pools = bench.pools_of(bench.session)
    pools.create(SPEC, bench.lease(TERM))
    bench.until(lambda: active(pools))
    bench.clock.advance(2400)
    bench.world.aws.policies.attach(bench.role, policy("dead-man-arm"), reading())

    with pytest.raises(NodePoolRefusedError, match="TagResource"):
        pools.renew(NAME, bench.lease(TERM))
    bench.clock.advance((TERM / 2).total_seconds())
    alive = [str(group.state) for group in bench.groups()]
    bench.clock.advance((TERM / 2 + GRACE).total_seconds() + MINUTE)
    bench.until(lambda: not bench.groups())

    assert alive == ["ACTIVE"]


def reading() -> dict[str, object]:
    """Allow to look at node groups, and not to write their tags."""
    document = policy("node-pools")
    kept = [one for one in document["Statement"] if one["Sid"] == "ReadNodegroups"]
    return {**document, "Statement": kept}


@pytest.mark.parametrize(
    ("change", "state"),
    [({}, "DELETING"), ({"multicluster-managed-by": "somebody"}, "ACTIVE"), ({"multicluster-keep": "demo"}, "ACTIVE")],
)
def test_the_dead_man_leaves_alone_what_a_person_kept_or_took_over(
    bench: AwsBench, change: dict[str, str], state: str
) -> None:
    make(bench)
    bench.groups()[0].settings["tags"] |= change

    bench.clock.advance((TERM + GRACE).total_seconds() + MINUTE)

    assert str(bench.groups()[0].state) == state
