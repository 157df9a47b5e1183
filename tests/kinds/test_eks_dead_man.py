"""The dead-man switch of EKS: armed before the group, moved with the lease, released with the group, whatever fails."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from multicluster.errors import (
    CloudUnavailableError,
    MulticlusterError,
    NodePoolBusyError,
    NodePoolConflictError,
    NodePoolNotFoundError,
    NodePoolRefusedError,
)
from multicluster.kinds.eks.node_pool_options import EksNodePoolOptions
from multicluster.node_pools.lease import GRACE

from .eks_ground import ACCOUNT, DEAD_MAN, HOUR, NAME, OPTIONS, SPEC, Ground, opened

NOT_FOR_GOOD = "server-error", "throttled"


@pytest.fixture
def ground(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ground]:
    yield from opened(monkeypatch)


def test_the_schedule_says_all_that_ends_the_group(ground: Ground) -> None:
    lease = ground.lease()

    ground.pools().create(SPEC, lease)

    found = ground.admin.client("scheduler").get_schedule(Name=NAME)
    assert found["ScheduleExpression"] == f"at({lease.expires_at + GRACE:%Y-%m-%dT%H:%M:%S})"
    assert found["ScheduleExpressionTimezone"] == "UTC"
    assert found["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert (found["State"], found["ActionAfterCompletion"]) == ("ENABLED", "DELETE")
    assert found["Target"]["Arn"] == "arn:aws:scheduler:::aws-sdk:eks:deleteNodegroup"
    assert found["Target"]["RoleArn"] == DEAD_MAN.scheduler_role_arn
    assert json.loads(found["Target"]["Input"]) == {"ClusterName": "gpu", "NodegroupName": NAME}
    assert found["Target"]["RetryPolicy"] == {"MaximumEventAgeInSeconds": 7200, "MaximumRetryAttempts": 185}


def test_the_switch_is_armed_before_the_group_is_asked_for(ground: Ground) -> None:
    seen: list[dict[str, datetime]] = []
    make = ground.world.aws.nodegroups.create
    ground.world.aws.nodegroups.create = lambda *asked: (seen.append(ground.schedules), make(*asked))[1]  # type: ignore[method-assign]
    lease = ground.lease()

    ground.pools().create(SPEC, lease)

    assert seen == [{NAME: lease.expires_at + GRACE}]
    assert ground.pools().armed(NAME) == lease.expires_at + GRACE


def deny(ground: Ground, operation: str) -> None:
    ground.world.inject("denied", operation=operation)


def no_trust(ground: Ground) -> None:
    ground.world.aws.iam.add_role("deadman", ACCOUNT, trust=["ec2.amazonaws.com"])


@pytest.mark.parametrize(
    ("breaks", "group", "words"),
    [
        (lambda ground: deny(ground, "GetSchedule"), "default", "dead-man-arm.json"),
        (lambda ground: deny(ground, "CreateSchedule"), "default", f"iam:PassRole on {DEAD_MAN.scheduler_role_arn}"),
        (no_trust, "default", "dead-man-trust.json"),
        (lambda _: None, "missing", "create-schedule-group --name missing"),
    ],
)
def test_what_cannot_be_armed_is_not_made_and_the_next_step_is_told(
    ground: Ground, breaks: Callable[[Ground], None], group: str, words: str
) -> None:
    breaks(ground)
    options = OPTIONS.model_copy(update={"dead_man": DEAD_MAN.model_copy(update={"group_name": group})})

    with pytest.raises(NodePoolRefusedError, match=r"deadMan: off|schedule group") as caught:
        ground.pools(options).create(SPEC, ground.lease())

    assert words in str(caught.value)
    assert ground.calls("eks:CreateNodegroup") == 0
    assert (ground.groups, ground.schedules) == ([], {})


@pytest.mark.parametrize("fault", NOT_FOR_GOOD)
@pytest.mark.parametrize("operation", ["GetSchedule", "CreateSchedule"])
def test_a_scheduler_in_trouble_is_passing_trouble_and_nothing_is_made(
    ground: Ground, fault: str, operation: str
) -> None:
    ground.world.inject(fault, operation=operation)

    with pytest.raises(CloudUnavailableError) as caught:
        ground.pools().create(SPEC, ground.lease())

    assert caught.value.transient
    assert (ground.groups, ground.schedules) == ([], {})


@pytest.mark.parametrize("fault", ["create-denied", "create-limit"])
def test_a_group_that_is_refused_for_good_leaves_no_schedule(ground: Ground, fault: str) -> None:
    ground.world.inject(fault)

    with pytest.raises(MulticlusterError) as caught:
        ground.pools().create(SPEC, ground.lease())

    assert not caught.value.transient
    assert ground.calls("scheduler:CreateSchedule") == 1
    assert (ground.groups, ground.schedules) == ([], {})


def test_a_refusal_takes_no_switch_from_a_group_that_cannot_be_read_yet(ground: Ground) -> None:
    ground.pools().create(SPEC, ground.lease())
    ground.world.inject("not-found-yet", times=3)
    ground.world.inject("create-denied")

    with pytest.raises(NodePoolRefusedError):
        ground.pools().create(SPEC, ground.lease())

    assert (ground.groups, list(ground.schedules)) == ([NAME], [NAME])


CREATING = ["GetSchedule", "CreateSchedule", "CreateNodegroup", "DescribeNodegroup"]
RENEWING = ["DescribeNodegroup", "GetSchedule", "UpdateSchedule", "TagResource"]
FAULTS = ["lost-response", "error-after-acting", "drop", "server-error", "throttled", "denied"]


def armed_pools(ground: Ground) -> bool:
    """Whether there is no pool without a schedule that comes after its lease."""
    return all(
        name in ground.schedules and ground.schedules[name].timestamp() > int(ground.tags["multicluster-expires"])
        for name in ground.groups
    )


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("operation", CREATING)
@pytest.mark.parametrize("passed", [0, 1])
def test_whatever_call_of_create_fails_no_pool_is_unarmed_and_a_later_try_ends_with_one(
    ground: Ground, fault: str, operation: str, passed: int
) -> None:
    ground.world.inject(fault, operation=operation, after=str(passed), times=1)
    with suppress(MulticlusterError):
        ground.pools().create(SPEC, ground.lease())
    in_between = armed_pools(ground)
    orphans = set(ground.schedules) - set(ground.groups)
    known = {one.id for one in ground.pools().leftovers()}
    ground.world.faults.clear()

    pool = ground.pools().create(SPEC, ground.lease())

    assert in_between
    assert orphans <= known
    assert (pool.name, ground.groups, list(ground.schedules)) == (NAME, [NAME], [NAME])
    assert armed_pools(ground)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("operation", RENEWING)
def test_whatever_call_of_renew_fails_the_switch_never_comes_before_the_lease(
    ground: Ground, fault: str, operation: str
) -> None:
    ground.pools().create(SPEC, ground.lease())
    ground.clock.advance(2400)
    ground.world.inject(fault, operation=operation, times=1)
    again = ground.lease()
    with suppress(MulticlusterError):
        ground.pools().renew(NAME, again)
    in_between = armed_pools(ground)
    ground.world.faults.clear()

    ground.pools().renew(NAME, again)

    assert in_between
    assert ground.schedules == {NAME: again.expires_at + GRACE}
    assert ground.pools().get(NAME).lease == again


def test_renewing_moves_the_switch_before_the_tags(ground: Ground) -> None:
    first, pools = ground.lease(), ground.pools()
    pools.create(SPEC, first)
    ground.clock.advance(2400)
    deny(ground, "TagResource")

    with pytest.raises(NodePoolRefusedError, match="TagResource"):
        pools.renew(NAME, ground.lease())

    assert ground.schedules == {NAME: ground.lease().expires_at + GRACE}
    assert pools.get(NAME).lease == first


def test_a_switch_that_cannot_be_moved_leaves_the_lease_as_it_was(ground: Ground) -> None:
    first, pools = ground.lease(), ground.pools()
    pools.create(SPEC, first)
    ground.clock.advance(2400)
    deny(ground, "UpdateSchedule")

    with pytest.raises(NodePoolRefusedError, match=r"UpdateSchedule.*dead-man-arm"):
        pools.renew(NAME, ground.lease())

    assert ground.schedules == {NAME: first.expires_at + GRACE}
    assert pools.get(NAME).lease == first


def test_renewing_arms_a_switch_that_somebody_took_away(ground: Ground) -> None:
    pools = ground.pools()
    pools.create(SPEC, ground.lease())
    ground.admin.client("scheduler").delete_schedule(Name=NAME)
    unarmed = pools.armed(NAME)

    pools.renew(NAME, ground.lease())

    assert unarmed is None
    assert pools.armed(NAME) == ground.lease().expires_at + GRACE


def test_renewing_what_is_renewed_writes_nothing(ground: Ground) -> None:
    lease, pools = ground.lease(), ground.pools()
    pools.create(SPEC, lease)

    pools.renew(NAME, lease)

    assert ground.calls("scheduler:UpdateSchedule") == ground.calls("eks:TagResource") == 0


def test_renewing_the_pool_of_another_owner_moves_nothing(ground: Ground) -> None:
    pools = ground.pools()
    pools.create(SPEC, ground.lease())
    before = ground.schedules

    with pytest.raises(NodePoolConflictError):
        pools.renew(NAME, replace(ground.lease(2 * HOUR), owner="somebody-else"))

    assert ground.schedules == before


def test_renewing_a_pool_that_is_gone_arms_nothing(ground: Ground) -> None:
    with pytest.raises(NodePoolNotFoundError):
        ground.pools().renew(NAME, ground.lease())

    assert ground.schedules == {}


def test_a_schedule_for_the_same_group_is_adopted_and_moved(ground: Ground) -> None:
    ground.schedule()

    ground.pools().create(SPEC, ground.lease())

    assert ground.schedules == {NAME: ground.lease().expires_at + GRACE}


@pytest.mark.parametrize("given", [{"ClusterName": "other"}, {"NodegroupName": "inference"}])
def test_a_foreign_schedule_of_the_same_name_is_left_alone_and_no_pool_is_made(
    ground: Ground, given: dict[str, str]
) -> None:
    ground.schedule(**given)
    before = ground.schedules

    with pytest.raises(NodePoolRefusedError, match=r"something else.*groupName"):
        ground.pools().create(SPEC, ground.lease())

    assert (ground.groups, ground.schedules) == ([], before)
    ground.pools().release(NAME)
    assert ground.schedules == before
    assert ground.pools().armed(NAME) is None


def test_a_schedule_that_is_switched_off_arms_nothing(ground: Ground) -> None:
    pools = ground.pools()
    pools.create(SPEC, ground.lease())
    scheduler = ground.admin.client("scheduler")
    found = scheduler.get_schedule(Name=NAME)
    kept = ("Name", "ScheduleExpression", "ScheduleExpressionTimezone", "FlexibleTimeWindow", "Target")
    scheduler.update_schedule(**{name: found[name] for name in kept}, State="DISABLED")

    switched_off = pools.armed(NAME)
    pools.renew(NAME, ground.lease())

    assert switched_off is None
    assert pools.armed(NAME) == ground.lease().expires_at + GRACE


def test_the_switch_stays_until_the_group_is_gone(ground: Ground) -> None:
    pools = ground.pools()
    pools.create(SPEC, ground.lease())
    ground.active()
    pools.delete(NAME)

    with pytest.raises(NodePoolBusyError, match="still there"):
        pools.release(NAME)
    while_deleting = list(ground.schedules)
    ground.until(lambda: not ground.groups)
    pools.release(NAME)
    pools.release(NAME)

    assert while_deleting == [NAME]
    assert ground.schedules == {}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("operation", ["DescribeNodegroup", "GetSchedule", "DeleteSchedule"])
def test_whatever_call_of_release_fails_the_next_ends_it(ground: Ground, fault: str, operation: str) -> None:
    ground.pools().create(SPEC, ground.lease())
    ground.end()
    ground.world.inject(fault, operation=operation, times=1)
    with suppress(MulticlusterError):
        ground.pools().release(NAME)
    ground.world.faults.clear()

    ground.pools().release(NAME)

    assert ground.schedules == {}


def test_off_makes_pools_that_are_not_armed(ground: Ground) -> None:
    pools = ground.pools(OPTIONS.model_copy(update={"dead_man": "off"}))

    pools.create(SPEC, ground.lease())

    assert (ground.groups, ground.schedules, pools.armed(NAME)) == ([NAME], {}, None)
    assert list(pools.leftovers()) == []
    assert sum(count for call, count in ground.world.aws.gateway.calls.items() if call.startswith("scheduler:")) == 0


@pytest.mark.parametrize("options", [OPTIONS.model_copy(update={"dead_man": None})])
def test_while_nobody_decided_nothing_is_made_and_both_ways_out_are_told(
    ground: Ground, options: EksNodePoolOptions
) -> None:
    with pytest.raises(NodePoolRefusedError, match=r"schedulerRoleArn.*deadMan: off"):
        ground.pools(options).create(SPEC, ground.lease())

    assert ground.groups == []
    assert [path for path, _ in options.doubts()] == [("deadMan",)]
    assert list(OPTIONS.doubts()) == []


def test_parallel_creates_by_one_owner_are_one_armed_pool(ground: Ground) -> None:
    def create(number: int) -> str:
        lease = replace(ground.lease(), expires_at=ground.lease().expires_at + timedelta(seconds=number))
        return ground.pools().create(SPEC, lease).name

    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(create, range(8))) == {NAME}

    assert (ground.groups, list(ground.schedules)) == ([NAME], [NAME])
    assert armed_pools(ground)


def test_create_arms_a_pool_that_is_there_and_is_not_armed(ground: Ground) -> None:
    ground.pools(OPTIONS.model_copy(update={"dead_man": "off"})).create(SPEC, ground.lease())

    ground.pools().create(SPEC, ground.lease())

    assert ground.schedules == {NAME: ground.lease().expires_at + GRACE}
