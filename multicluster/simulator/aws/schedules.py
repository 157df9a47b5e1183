"""Answer EventBridge Scheduler, and fire one-time schedules at EKS when their time comes."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from multicluster.simulator.aws.call import Call
from multicluster.simulator.aws.errors import AwsError, access_denied
from multicluster.simulator.aws.identities import Principal
from multicluster.simulator.aws.permissions import asks
from multicluster.simulator.aws.schedule_request import SERVICE, TARGETS, lower_first, read_due
from multicluster.simulator.faults import Delay, HttpError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from multicluster.simulator.aws.eks import Eks
    from multicluster.simulator.aws.identities import Iam
    from multicluster.simulator.aws.policies import Policies
    from multicluster.simulator.clock import Clock
    from multicluster.simulator.delays import Delays
    from multicluster.simulator.faults import Faults

NAME = re.compile(r"[0-9a-zA-Z_.-]{1,64}")
MAX_ATTEMPTS, MAX_AGE_SECONDS, MAX_GROWTH = 185, 86400, 8
"""What a retry policy has that says nothing. Nobody outside knows AWS's distances; these make a day of 185 tries."""
ROUTES = {
    ("POST", "schedules", 2): "CreateSchedule",
    ("GET", "schedules", 2): "GetSchedule",
    ("PUT", "schedules", 2): "UpdateSchedule",
    ("DELETE", "schedules", 2): "DeleteSchedule",
    ("GET", "schedules", 1): "ListSchedules",
    ("POST", "schedule-groups", 2): "CreateScheduleGroup",
    ("GET", "schedule-groups", 2): "GetScheduleGroup",
    ("DELETE", "schedule-groups", 2): "DeleteScheduleGroup",
}


def operation_of(method: str, path: Sequence[str]) -> str:
    """Name the operation of a request."""
    operation = ROUTES.get((method, path[0], len(path)))
    if operation is None:
        raise AwsError("UnknownOperationException", f"not simulated: {method} /{'/'.join(path)}", 404)
    return operation


@dataclass(kw_only=True)
class Schedule:
    """A one-time schedule and what came of it."""

    group: str
    name: str
    arn: str
    account: str
    region: str
    body: dict[str, Any]
    due: dt.datetime
    created: dt.datetime
    modified: dt.datetime
    task: asyncio.Task[None] | None = None
    attempts: int = 0
    outcome: str = ""


Key = tuple[str, str, str, str]


class Schedules:
    """Keep schedules by account, region, schedule group and name."""

    def __init__(self, *, iam: Iam, policies: Policies, eks: Eks, clock: Clock, delays: Delays, faults: Faults) -> None:
        self.iam, self.policies, self.eks, self.clock, self.delays = iam, policies, eks, clock, delays
        self.faults = faults
        self.all: dict[Key, Schedule] = {}
        self.groups: set[tuple[str, str, str]] = set()
        self.fired: list[Schedule] = []

    def answer(self, operation: str, call: Call) -> dict[str, Any]:
        """Do an operation; raises AwsError as the service does."""
        if operation.endswith("ScheduleGroup"):
            return self._group(operation, call)
        if operation == "ListSchedules":
            return self._list(call)
        group = call.body.get("GroupName") or call.query.get("groupName") or "default"
        key = (call.caller.account, call.region, group, call.path[1])
        if operation == "CreateSchedule":
            return self._create(key, dict(call.body))
        if key not in self.all:
            raise AwsError("ResourceNotFoundException", f"Schedule {key[3]} does not exist.", 404)
        schedule = self.all[key]
        if operation == "GetSchedule":
            return view(schedule)
        if operation == "DeleteSchedule":
            self._drop(key)
            return {}
        body = dict(call.body)
        due = read_due(body, key[0], self.iam, self.clock.now())
        schedule.body, schedule.due, schedule.modified = body, due, self.clock.now()
        self._arm(key, schedule)
        return {"ScheduleArn": schedule.arn}

    def _create(self, key: Key, body: dict[str, Any]) -> dict[str, Any]:
        if not NAME.fullmatch(key[3]):
            raise AwsError("ValidationException", f"1 validation error detected: Value '{key[3]}' at 'name' is invalid")
        if key[2] != "default" and (key[0], key[1], key[2]) not in self.groups:
            raise AwsError("ResourceNotFoundException", f"Schedule group {key[2]} does not exist.", 404)
        there = self.all.get(key)
        if there is not None:
            if body.get("ClientToken") and there.body == body:
                return {"ScheduleArn": there.arn}
            raise AwsError("ConflictException", f"Schedule {key[3]} already exists.", 409)
        due = read_due(body, key[0], self.iam, self.clock.now())
        arn = f"arn:aws:scheduler:{key[1]}:{key[0]}:schedule/{key[2]}/{key[3]}"
        now = self.clock.now()
        schedule = Schedule(
            group=key[2],
            name=key[3],
            arn=arn,
            account=key[0],
            region=key[1],
            body=body,
            due=due,
            created=now,
            modified=now,
        )
        self.all[key] = schedule
        self._arm(key, schedule)
        return {"ScheduleArn": arn}

    def _arm(self, key: Key, schedule: Schedule) -> None:
        if schedule.task is not None:
            schedule.task.cancel()
        schedule.task = asyncio.get_running_loop().create_task(self._fire(key, schedule))

    async def _fire(self, key: Key, schedule: Schedule) -> None:
        """Invoke the target at the end of the window, and again as the retry policy says: at growing distances."""
        window = schedule.body["FlexibleTimeWindow"].get("MaximumWindowInMinutes", 0)
        schedule.attempts, due = 0, schedule.due + dt.timedelta(minutes=window)
        await self.clock.sleep((due - self.clock.now()).total_seconds())
        if schedule.body.get("State") == "DISABLED":
            return
        policy = schedule.body["Target"].get("RetryPolicy") or {}
        attempts = 1 + int(policy.get("MaximumRetryAttempts", MAX_ATTEMPTS))
        ends = due + dt.timedelta(seconds=int(policy.get("MaximumEventAgeInSeconds", MAX_AGE_SECONDS)))
        while schedule.attempts < attempts and self.clock.now() <= ends:
            schedule.attempts += 1
            schedule.outcome = await self._attempt(schedule)
            if schedule.outcome == "ok":
                break
            await self.clock.sleep(self.delays.schedule_retry * min(2 ** (schedule.attempts - 1), MAX_GROWTH))
        self.fired.append(schedule)
        if schedule.body.get("ActionAfterCompletion") == "DELETE":
            self.all.pop(key, None)

    async def _attempt(self, schedule: Schedule) -> str:
        """Call the target once; returns ``ok`` or the code of its refusal."""
        given = json.loads(schedule.body["Target"]["Input"])
        target = f"{given['ClusterName']}/{given['NodegroupName']}"
        operation = TARGETS[schedule.body["Target"]["Arn"]]
        for effect in self.faults.effects("scheduler-target", operation, target):
            if isinstance(effect, Delay):
                await self.clock.sleep(effect.seconds)
            elif isinstance(effect, HttpError):
                return effect.reason
        try:
            self._invoke(schedule)
        except AwsError as error:
            return error.code
        return "ok"

    def _invoke(self, schedule: Schedule) -> None:
        target = schedule.body["Target"]
        operation = TARGETS[target["Arn"]]
        role = self.iam.roles.get(target["RoleArn"])
        if role is None:
            raise access_denied(SERVICE, "sts:AssumeRole", target["RoleArn"])
        given = lower_first(json.loads(target["Input"]))
        path = ("clusters", given.pop("clusterName"), "node-groups", given.pop("nodegroupName"))
        arn = f"arn:aws:sts::{role.account}:assumed-role/{role.name}/{schedule.name}"
        caller = Principal(arn=arn, user_id=role.id, account=role.account, source=role.arn, session=True)
        method = "DELETE" if operation == "DeleteNodegroup" else "POST"
        call = Call(service="eks", region=schedule.region, caller=caller, method=method, path=path, body=given)
        self.policies.require(caller, asks(operation, call, self.eks))
        self.eks.answer(operation, call)

    def _drop(self, key: Key) -> None:
        schedule = self.all.pop(key)
        if schedule.task is not None:
            schedule.task.cancel()

    def _list(self, call: Call) -> dict[str, Any]:
        prefix, wanted = call.query.get("NamePrefix", ""), call.query.get("ScheduleGroup")
        found = [
            {"Arn": s.arn, "Name": s.name, "GroupName": s.group, "State": s.body.get("State", "ENABLED"),
             "CreationDate": s.created.timestamp(), "LastModificationDate": s.modified.timestamp(),
             "Target": {"Arn": s.body["Target"]["Arn"]}}
            for (account, region, group, name), s in sorted(self.all.items())
            if (account, region) == (call.caller.account, call.region)
            and name.startswith(prefix)
            and wanted in {None, group}
        ]  # fmt: skip
        size, start = int(call.query.get("MaxResults", "100")), int(call.query.get("NextToken", "0"))
        more = str(start + size) if len(found) > start + size else None
        return {"Schedules": found[start : start + size], "NextToken": more}

    def _group(self, operation: str, call: Call) -> dict[str, Any]:
        key = (call.caller.account, call.region, call.path[1])
        arn = f"arn:aws:scheduler:{key[1]}:{key[0]}:schedule-group/{key[2]}"
        if operation == "CreateScheduleGroup":
            if key in self.groups or key[2] == "default":
                raise AwsError("ConflictException", f"Schedule group {key[2]} already exists.", 409)
            self.groups.add(key)
            return {"ScheduleGroupArn": arn}
        if key not in self.groups and key[2] != "default":
            raise AwsError("ResourceNotFoundException", f"Schedule group {key[2]} does not exist.", 404)
        if operation == "GetScheduleGroup":
            return {"Arn": arn, "Name": key[2], "State": "ACTIVE"}
        for schedule in [key_ for key_ in self.all if key_[:3] == key]:
            self._drop(schedule)
        self.groups.discard(key)
        return {}


def view(schedule: Schedule) -> dict[str, Any]:
    """Write a schedule as GetSchedule does."""
    body: Mapping[str, Any] = {name: value for name, value in schedule.body.items() if name != "ClientToken"}
    usual = {"MaximumEventAgeInSeconds": MAX_AGE_SECONDS, "MaximumRetryAttempts": MAX_ATTEMPTS}
    return {
        **body,
        "Target": {**body["Target"], "RetryPolicy": {**usual, **(body["Target"].get("RetryPolicy") or {})}},
        "Arn": schedule.arn,
        "Name": schedule.name,
        "GroupName": schedule.group,
        "State": schedule.body.get("State", "ENABLED"),
        "ScheduleExpressionTimezone": schedule.body.get("ScheduleExpressionTimezone", "UTC"),
        "ActionAfterCompletion": schedule.body.get("ActionAfterCompletion", "NONE"),
        "CreationDate": schedule.created.timestamp(),
        "LastModificationDate": schedule.modified.timestamp(),
    }
