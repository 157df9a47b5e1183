"""Check a request to EventBridge Scheduler, and read when and what it shall fire."""

from __future__ import annotations

import datetime as dt
import json
import re
import zoneinfo
from typing import TYPE_CHECKING, Any

from multicluster.simulator.aws.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from multicluster.simulator.aws.identities import Iam

ONCE = re.compile(r"at\((\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})\)")
TARGETS = {
    "arn:aws:scheduler:::aws-sdk:eks:deleteNodegroup": "DeleteNodegroup",
    "arn:aws:scheduler:::aws-sdk:eks:updateNodegroupConfig": "UpdateNodegroupConfig",
}
SERVICE = "scheduler.amazonaws.com"
CHOICES = {
    "state": {"ENABLED", "DISABLED"}, "actionAfterCompletion": {"NONE", "DELETE"}, "mode": {"OFF", "FLEXIBLE"},
}  # fmt: skip
RANGES = {
    "maximumWindowInMinutes": (1, 1440),
    "maximumRetryAttempts": (0, 185),
    "maximumEventAgeInSeconds": (60, 86400),
}


def read_due(body: Mapping[str, Any], account: str, iam: Iam, now: dt.datetime) -> dt.datetime:
    """Check a schedule; returns when it fires, in UTC. Raises AwsError as the service does."""
    target = body.get("Target") or {}
    for member, value in (
        ("scheduleExpression", body.get("ScheduleExpression")),
        ("flexibleTimeWindow", (body.get("FlexibleTimeWindow") or {}).get("Mode")),
        ("target.arn", target.get("Arn")),
        ("target.roleArn", target.get("RoleArn")),
    ):
        if not value:
            rule = "failed to satisfy constraint: Member must not be null"
            raise AwsError("ValidationException", f"1 validation error detected: Value at '{member}' {rule}")
    due = read_expression(body["ScheduleExpression"], body.get("ScheduleExpressionTimezone") or "UTC")
    if due <= now:
        raise AwsError("ValidationException", f"Invalid Schedule Expression {body['ScheduleExpression']}: in the past.")
    if target["Arn"] not in TARGETS:
        raise AwsError("ValidationException", f"{target['Arn']} is not a supported target; not simulated")
    check_input(target.get("Input") or "{}", TARGETS[target["Arn"]])
    check_choices(body)
    role = iam.roles.get(target["RoleArn"])
    if role is None or role.account != account or (role.trust is not None and SERVICE not in role.trust):
        message = "The execution role you provide must allow AWS EventBridge Scheduler to assume the role."
        raise AwsError("ValidationException", message)
    return due


def read_expression(expression: str, zone: str) -> dt.datetime:
    """Read ``at(yyyy-mm-ddThh:mm:ss)`` in a time zone; the other two kinds are not simulated."""
    found = ONCE.fullmatch(expression)
    if found is None:
        raise AwsError(
            "ValidationException", f"Invalid Schedule Expression {expression}. (rate and cron are not simulated)"
        )
    try:
        local = dt.datetime.fromisoformat(found[1]).replace(tzinfo=zoneinfo.ZoneInfo(zone))
    except (ValueError, zoneinfo.ZoneInfoNotFoundError):
        raise AwsError("ValidationException", f"Invalid Schedule Expression {expression} in {zone}.") from None
    return local.astimezone(dt.UTC)


def check_input(text: str, operation: str) -> None:
    """Refuse an input the universal target would not take: its keys are PascalCase (measured by its users)."""
    try:
        given = json.loads(text)
    except ValueError:
        raise AwsError("ValidationException", "Input for target is not valid JSON.") from None
    allowed = {"ClusterName", "NodegroupName", "ClientRequestToken"}
    if operation == "UpdateNodegroupConfig":
        allowed |= {"ScalingConfig", "Labels", "Taints", "UpdateConfig", "NodeRepairConfig"}
    if not isinstance(given, dict) or set(given) - allowed or not {"ClusterName", "NodegroupName"} <= set(given):
        names = ", ".join(sorted(set(given) - allowed)) if isinstance(given, dict) else text
        raise AwsError(
            "ValidationException", f"Invalid RequestJson provided. Reason The field(s) {names} are not valid."
        )
    for member in given.values():
        if isinstance(member, dict) and any(not name[:1].isupper() for name in member):
            raise AwsError(
                "ValidationException", "Invalid RequestJson provided. Reason Names are written in PascalCase."
            )


def check_choices(body: Mapping[str, Any]) -> None:
    """Refuse what is out of the API model's ranges, and a window that does not fit its mode."""
    window, policy = body["FlexibleTimeWindow"], body["Target"].get("RetryPolicy") or {}
    for name, value in lower_first({**body, **window, **policy}).items():
        least, most = RANGES.get(name, (value, value))
        if name in CHOICES and value not in CHOICES[name]:
            rule = f"Member must satisfy enum value set: [{', '.join(sorted(CHOICES[name]))}]"
        elif name in RANGES and not least <= value <= most:
            rule = f"Member must have value between {least} and {most}"
        else:
            continue
        message = f"Value '{value}' at '{name}' failed to satisfy constraint: {rule}"
        raise AwsError("ValidationException", f"1 validation error detected: {message}")
    if (window["Mode"] == "FLEXIBLE") != ("MaximumWindowInMinutes" in window):
        raise AwsError("ValidationException", "MaximumWindowInMinutes goes with the mode FLEXIBLE, and with no other.")


def lower_first(value: Any) -> Any:
    """Turn PascalCase names into the API's camelCase, all the way down."""
    if isinstance(value, dict):
        return {name[:1].lower() + name[1:]: lower_first(inner) for name, inner in value.items()}
    return [lower_first(inner) for inner in value] if isinstance(value, list) else value
