"""EventBridge Scheduler fires what was armed, at its time, with the rights of its role."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import pytest

from multicluster.simulator import Delays, ManualClock, World

DELETE = "arn:aws:scheduler:::aws-sdk:eks:deleteNodegroup"
UPDATE = "arn:aws:scheduler:::aws-sdk:eks:updateNodegroupConfig"
NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
POOL = {"ClusterName": "gpu", "NodegroupName": "train"}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def world(clock: ManualClock) -> Iterator[World]:
    delays = Delays(create=1, node_join=1, node_ready=1, gpu_ready=1, drain=1, delete=1, schedule_retry=60)
    with World(clock=clock, delays=delays) as world:
        world.add_eks("gpu")
        yield world


def order(arn: str = DELETE, given: Any = None, **more: Any) -> dict[str, Any]:
    target = {
        "Arn": arn,
        "RoleArn": "arn:aws:iam::111122223333:role/deadman",
        "Input": json.dumps(POOL if given is None else given),
    }
    return {
        "Name": "deadman-train",
        "ScheduleExpression": "at(2026-01-01T01:00:00)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "ActionAfterCompletion": "DELETE",
        **more,
        "Target": {**target, **more.get("Target", {})},
    }


def test_a_group_is_deleted_at_its_deadline(
    world: World, clock: ManualClock, client: Any, group: dict[str, Any]
) -> None:
    client("scheduler").create_schedule(**order())
    client("eks").create_nodegroup(**group)
    clock.advance(3590)

    before = world.report().pools_left
    clock.advance(30)

    assert before == ("gpu/train",)
    assert world.report().pools_left == ()
    with pytest.raises(client("scheduler").exceptions.ResourceNotFoundException):
        client("scheduler").get_schedule(Name="deadman-train")


def test_a_group_is_scaled_to_nothing_at_its_deadline(
    world: World, clock: ManualClock, client: Any, group: dict[str, Any]
) -> None:
    given = {**POOL, "ScalingConfig": {"MinSize": 0, "DesiredSize": 0}}
    client("scheduler").create_schedule(**order(UPDATE, given, ActionAfterCompletion="NONE"))
    client("eks").create_nodegroup(**group)

    clock.advance(3700)

    assert world.report().instances_left == ()
    assert world.report().pools_left == ("gpu/train",)
    assert client("scheduler").get_schedule(Name="deadman-train")["State"] == "ENABLED"


def test_a_target_that_refuses_is_tried_again(
    world: World, clock: ManualClock, client: Any, group: dict[str, Any]
) -> None:
    world.groups.delays = Delays(create=120)
    client("scheduler").create_schedule(**order())
    clock.advance(3590)
    client("eks").create_nodegroup(**group)

    clock.advance(400)

    assert world.report().pools_left == ()
    assert world.aws.schedules.fired[0].attempts > 1


def test_a_deleted_schedule_does_not_fire(world: World, clock: ManualClock, client: Any, group: dict[str, Any]) -> None:
    client("scheduler").create_schedule(**order())
    client("eks").create_nodegroup(**group)
    client("scheduler").delete_schedule(Name="deadman-train")

    clock.advance(4000)

    assert world.report().pools_left == ("gpu/train",)


def test_a_schedule_moved_fires_at_its_new_time(
    world: World, clock: ManualClock, client: Any, group: dict[str, Any]
) -> None:
    client("scheduler").create_schedule(**order())
    client("eks").create_nodegroup(**group)
    client("scheduler").update_schedule(**order(ScheduleExpression="at(2026-01-01T03:00:00)"))

    clock.advance(4000)
    before = world.report().pools_left
    clock.advance(7200)

    assert before == ("gpu/train",)
    assert world.report().pools_left == ()


def test_what_was_armed_can_be_read_back(client: Any) -> None:
    client("scheduler").create_schedule(**order(ScheduleExpressionTimezone="America/Lima"))

    read = client("scheduler").get_schedule(Name="deadman-train")

    assert read["ScheduleExpression"] == "at(2026-01-01T01:00:00)"
    assert json.loads(read["Target"]["Input"]) == POOL
    assert read["GroupName"] == "default"
    assert [s["Name"] for s in client("scheduler").list_schedules(NamePrefix="dead")["Schedules"]] == ["deadman-train"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"Target": {"Input": json.dumps({"clusterName": "gpu", "nodegroupName": "t"})}}, "clusterName, nodegroupName"),
        ({"Target": {"Input": "{"}}, "not valid JSON"),
        ({"Target": {"Arn": "arn:aws:scheduler:::aws-sdk:eks:describeNodegroup"}}, "not a supported target"),
        (
            {"Target": {"RoleArn": "arn:aws:iam::111122223333:role/gpu-node"}},
            "must allow AWS EventBridge",
        ),
        ({"ScheduleExpression": "at(2025-01-01T00:00:00)"}, "in the past"),
        ({"ScheduleExpression": "at(tomorrow)"}, "Invalid Schedule Expression"),
        ({"ScheduleExpressionTimezone": "Mars/Olympus"}, "Invalid Schedule Expression"),
    ],
)
def test_a_bad_schedule_is_a_validation_error(client: Any, change: dict[str, Any], reason: str) -> None:
    scheduler = client("scheduler")

    with pytest.raises(scheduler.exceptions.ValidationException, match=reason):
        scheduler.create_schedule(**order(**change))


def test_a_name_taken_conflicts_unless_it_is_the_same_request(client: Any) -> None:
    scheduler = client("scheduler")
    first = scheduler.create_schedule(**order(ClientToken="t1"))["ScheduleArn"]

    assert scheduler.create_schedule(**order(ClientToken="t1"))["ScheduleArn"] == first
    with pytest.raises(scheduler.exceptions.ConflictException):
        scheduler.create_schedule(**order(ClientToken="t2"))


def test_a_schedule_group_must_be_there_and_takes_its_schedules_along(client: Any) -> None:
    scheduler = client("scheduler")
    with pytest.raises(scheduler.exceptions.ResourceNotFoundException, match="Schedule group mine does not exist"):
        scheduler.create_schedule(**order(GroupName="mine"))
    scheduler.create_schedule_group(Name="mine")
    scheduler.create_schedule(**order(GroupName="mine"))

    scheduler.delete_schedule_group(Name="mine")

    assert scheduler.list_schedules()["Schedules"] == []


def missed(world: World, clock: ManualClock, client: Any, **more: Any) -> int:
    """Fire a schedule at a pool that is not there for a day and a half; how often it was tried."""
    client("scheduler").create_schedule(**order(**more))
    clock.advance(36 * 3600)
    (fired,) = world.aws.schedules.fired
    assert fired.outcome == "ResourceNotFoundException"
    return fired.attempts


def test_a_schedule_that_is_disabled_when_its_time_comes_never_fires(
    world: World, clock: ManualClock, client: Any, group: dict[str, Any]
) -> None:
    client("scheduler").create_schedule(**order(State="DISABLED"))
    client("eks").create_nodegroup(**group)

    clock.advance(2 * 3600)

    assert world.report().pools_left == ("gpu/train",)
    assert client("scheduler").get_schedule(Name="deadman-train")["State"] == "DISABLED"


def test_a_flexible_window_may_be_used_up_to_its_end(
    world: World, clock: ManualClock, client: Any, group: dict[str, Any]
) -> None:
    window = {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15}
    client("scheduler").create_schedule(**order(FlexibleTimeWindow=window))
    client("eks").create_nodegroup(**group)
    clock.advance(3600 + 14 * 60)

    before = world.report().pools_left
    clock.advance(120)

    assert (before, world.report().pools_left) == (("gpu/train",), ())


@pytest.mark.parametrize(
    ("policy", "attempts"),
    [
        ({"MaximumRetryAttempts": 0}, 1),
        ({"MaximumRetryAttempts": 3}, 4),
        ({"MaximumEventAgeInSeconds": 60}, 2),
        ({"MaximumEventAgeInSeconds": 600}, 4),
    ],
)
def test_the_retry_policy_ends_by_attempts_or_by_age(
    world: World, clock: ManualClock, client: Any, policy: dict[str, int], attempts: int
) -> None:
    assert missed(world, clock, client, Target={"RetryPolicy": policy}) == attempts


def test_without_a_retry_policy_it_is_tried_for_a_day(world: World, clock: ManualClock, client: Any) -> None:
    assert 150 < missed(world, clock, client) <= 186
    with pytest.raises(client("scheduler").exceptions.ResourceNotFoundException):
        client("scheduler").get_schedule(Name="deadman-train")


def test_an_update_replaces_everything_and_counts_the_attempts_anew(
    world: World, clock: ManualClock, client: Any, group: dict[str, Any]
) -> None:
    scheduler = client("scheduler")
    told = order(State="DISABLED", Description="old", ScheduleExpressionTimezone="America/Lima")
    scheduler.create_schedule(**told, ClientToken="t1")

    new = {"ScheduleExpression": "at(2026-01-01T02:00:00)", "ActionAfterCompletion": None}
    scheduler.update_schedule(**{name: value for name, value in order(**new).items() if value is not None})

    read = scheduler.get_schedule(Name="deadman-train")
    assert (read["State"], read["ActionAfterCompletion"], read["ScheduleExpressionTimezone"]) == (
        "ENABLED", "NONE", "UTC",
    )  # fmt: skip
    assert "Description" not in read
    client("eks").create_nodegroup(**group)
    clock.advance(3700)
    assert world.report().pools_left == ("gpu/train",)
    clock.advance(3600)
    assert world.report().pools_left == ()
    assert world.aws.schedules.fired[0].attempts == 1
    scheduler.update_schedule(**order(ScheduleExpression="at(2026-01-01T04:00:00)"))
    clock.advance(2 * 3600)
    assert world.aws.schedules.all[("111122223333", "us-east-1", "default", "deadman-train")].attempts < 12


def test_an_update_or_a_delete_of_nothing_is_not_found(client: Any) -> None:
    scheduler = client("scheduler")

    for call in (lambda: scheduler.update_schedule(**order()), lambda: scheduler.delete_schedule(Name="x")):
        with pytest.raises(scheduler.exceptions.ResourceNotFoundException):
            call()


@pytest.mark.parametrize(
    "change",
    [
        {"FlexibleTimeWindow": {"Mode": "FLEXIBLE"}},
        {"FlexibleTimeWindow": {"Mode": "OFF", "MaximumWindowInMinutes": 5}},
        {"FlexibleTimeWindow": {"Mode": "MAYBE"}},
        {"State": "ASLEEP"},
        {"ActionAfterCompletion": "BURN"},
        {"Target": {"RetryPolicy": {"MaximumRetryAttempts": 186}}},
        {"Target": {"RetryPolicy": {"MaximumEventAgeInSeconds": 86401}}},
    ],
)
def test_values_out_of_the_models_range_are_refused(client: Any, change: dict[str, Any]) -> None:
    scheduler = client("scheduler")

    with pytest.raises(scheduler.exceptions.ValidationException):
        scheduler.create_schedule(**order(**change))


def test_a_role_that_is_gone_deletes_nothing(
    world: World, clock: ManualClock, client: Any, group: dict[str, Any]
) -> None:
    client("scheduler").create_schedule(**order(Target={"RetryPolicy": {"MaximumRetryAttempts": 2}}))
    client("eks").create_nodegroup(**group)
    del world.aws.iam.roles["arn:aws:iam::111122223333:role/deadman"]

    clock.advance(2 * 3600)

    assert world.report().pools_left == ("gpu/train",)
    assert [(one.attempts, one.outcome) for one in world.aws.schedules.fired] == [(3, "AccessDenied")]


def test_the_target_can_be_refused_or_late_by_a_fault(
    world: World, clock: ManualClock, client: Any, group: dict[str, Any]
) -> None:
    world.inject("dead-man-refused", target="gpu/train", times=1)
    world.inject("dead-man-late", seconds="30")
    client("scheduler").create_schedule(**order())
    client("eks").create_nodegroup(**group)
    clock.advance(3600 + 29)

    early = world.aws.schedules.all
    refused = {key: one.outcome for key, one in early.items()}
    clock.advance(200)

    assert list(refused.values()) == ["InternalFailure"]
    assert world.report().pools_left == ()
    assert [(one.attempts, one.outcome) for one in world.aws.schedules.fired] == [(2, "ok")]
