"""EventBridge Scheduler as the simulator plays it, beside moto: what is asked is kept, or refused."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import boto3
import pytest
from moto import mock_aws

from multicluster.simulator import Delays, World

SOON = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
ORDER: dict[str, Any] = {
    "Name": "mc-fit",
    "GroupName": "default",
    "Description": "the end of mc-fit",
    "ScheduleExpression": f"at({SOON:%Y-%m-%dT%H:%M:%S})",
    "ScheduleExpressionTimezone": "UTC",
    "FlexibleTimeWindow": {"Mode": "OFF"},
    "ActionAfterCompletion": "DELETE",
    "State": "ENABLED",
    "Target": {
        "Arn": "arn:aws:scheduler:::aws-sdk:eks:deleteNodegroup",
        "RoleArn": "arn:aws:iam::111122223333:role/deadman",
        "Input": json.dumps({"ClusterName": "gpu", "NodegroupName": "mc-fit"}),
        "RetryPolicy": {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 9},
    },
}
KEPT = sorted(set(ORDER) - {"Name", "GroupName"})


@pytest.fixture(params=["simulator", "moto"])
def scheduler(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    with ExitStack() as stack:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            monkeypatch.delenv(name)
        if request.param == "moto":
            variables = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
            stack.enter_context(mock_aws())
        else:
            variables = stack.enter_context(World(delays=Delays.none())).env()
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        yield boto3.Session().client("scheduler", "us-east-1")


def kept(scheduler: Any) -> dict[str, Any]:
    read = scheduler.get_schedule(Name="mc-fit", GroupName="default")
    return {name: read.get(name) for name in KEPT}


def test_what_is_created_is_read_back(scheduler: Any) -> None:
    scheduler.create_schedule(**ORDER)

    assert kept(scheduler) == {name: ORDER[name] for name in KEPT}


def test_what_is_left_out_is_read_back_as_its_default(scheduler: Any) -> None:
    target = {name: value for name, value in ORDER["Target"].items() if name != "RetryPolicy"}
    needed = {"Name", "ScheduleExpression", "FlexibleTimeWindow"}
    scheduler.create_schedule(**{name: ORDER[name] for name in needed}, Target=target)

    read = scheduler.get_schedule(Name="mc-fit")
    assert (read["GroupName"], read["State"], read["ScheduleExpressionTimezone"]) == ("default", "ENABLED", "UTC")
    assert read["Target"]["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}


def test_a_name_is_taken_once(scheduler: Any) -> None:
    scheduler.create_schedule(**ORDER)

    with pytest.raises(scheduler.exceptions.ConflictException):
        scheduler.create_schedule(**{**ORDER, "Description": "another"})
    assert kept(scheduler)["Description"] == ORDER["Description"]


def test_an_update_replaces_what_it_says_and_what_it_leaves_out(scheduler: Any) -> None:
    """moto keeps ActionAfterCompletion and forgets the state; the API's reference says that all is replaced."""
    scheduler.create_schedule(**{**ORDER, "ScheduleExpressionTimezone": "America/Lima"})
    later = f"at({SOON + dt.timedelta(hours=1):%Y-%m-%dT%H:%M:%S})"
    left_out = {"Description", "ScheduleExpressionTimezone"}

    asked = {name: value for name, value in ORDER.items() if name not in left_out}
    scheduler.update_schedule(**{**asked, "ScheduleExpression": later})

    read = kept(scheduler)
    assert read == {**read, "ScheduleExpression": later, "Description": None, "ScheduleExpressionTimezone": "UTC"}
    assert (read["State"], read["Target"]) == ("ENABLED", ORDER["Target"])


@pytest.mark.parametrize("call", ["get_schedule", "delete_schedule", "update_schedule"])
def test_what_is_not_there_is_not_found(scheduler: Any, call: str) -> None:
    asked = ORDER if call == "update_schedule" else {"Name": "mc-fit", "GroupName": "default"}

    with pytest.raises(scheduler.exceptions.ResourceNotFoundException):
        getattr(scheduler, call)(**asked)


def test_a_schedule_that_was_deleted_is_gone_and_its_name_free(scheduler: Any) -> None:
    scheduler.create_schedule(**ORDER)
    scheduler.delete_schedule(Name="mc-fit", GroupName="default")

    assert scheduler.list_schedules(GroupName="default")["Schedules"] == []
    scheduler.create_schedule(**ORDER)
    assert kept(scheduler)["State"] == "ENABLED"


def test_schedules_are_listed_by_group_with_their_targets(scheduler: Any) -> None:
    scheduler.create_schedule_group(Name="ours")
    scheduler.create_schedule(**ORDER)
    scheduler.create_schedule(**{**ORDER, "Name": "mc-other", "GroupName": "ours"})

    listed = scheduler.list_schedules(GroupName="ours")["Schedules"]
    assert [(one["Name"], one["GroupName"], one["Target"]) for one in listed] == [
        ("mc-other", "ours", {"Arn": ORDER["Target"]["Arn"]})
    ]
