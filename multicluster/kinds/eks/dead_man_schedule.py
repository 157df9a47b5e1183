"""Write and read the one-time schedule that deletes a node group when nobody else does.

EventBridge Scheduler calls EKS itself, by a universal target: no process of ours has a part in it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from multicluster.kinds.eks.node_pool_options import DeadMan
from multicluster.node_pools import naming

RETRIES = {"MaximumEventAgeInSeconds": 7200, "MaximumRetryAttempts": 185}
"""A group that is still CREATING cannot be deleted: Scheduler asks again, for longer than EKS ever creates. Not for a
day, the most it allows: what has fired cannot be called back, and a cleared run has a pool of the same name."""
WHEN = "at(%Y-%m-%dT%H:%M:%S)"
NEAR = timedelta(minutes=1)
"""Scheduler's own precision, and more than tasks of one owner that ask at the same time are apart."""


@dataclass(frozen=True, kw_only=True)
class DeadManSchedule:
    """What the schedule of one node group says: delete it at *due* (UTC, whole seconds)."""

    cluster_name: str
    pool: str
    due: datetime
    dead_man: DeadMan

    def request(self, owner: str) -> dict[str, Any]:
        """Return the arguments of ``create_schedule``, and of ``update_schedule``, which replaces all of them."""
        return {
            "Name": self.pool,
            "GroupName": self.dead_man.group_name,
            "Description": f"End of node group {self.pool} of EKS cluster {self.cluster_name} (airflow-multicluster)",
            "ScheduleExpression": self.due.astimezone(UTC).strftime(WHEN),
            "ScheduleExpressionTimezone": "UTC",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "ActionAfterCompletion": "DELETE",
            "State": "ENABLED",
            "ClientToken": naming.request_token(owner, f"{self.pool} {int(self.due.timestamp())}"),
            "Target": {
                "Arn": target(self.dead_man),
                "RoleArn": self.dead_man.scheduler_role_arn,
                "Input": json.dumps(self.input()),
                "RetryPolicy": RETRIES,
            },
        }

    def input(self) -> dict[str, str]:
        """Return what EKS is called with; Scheduler takes PascalCase only."""
        return {"ClusterName": self.cluster_name, "NodegroupName": self.pool}

    def is_for_this_group(self, found: Mapping[str, Any]) -> bool:
        """Whether a schedule that GetSchedule *found*, armed or not, deletes this node group and nothing else."""
        aim = found.get("Target") or {}
        return str(aim.get("Arn")) == target(self.dead_man) and _read(aim.get("Input")) == self.input()

    def differs(self, found: Mapping[str, Any]) -> str:
        """Name the first thing in which a schedule that is there is not this one; empty when it is."""
        if not self.is_for_this_group(found):
            return "it is for something else"
        role, due = (found.get("Target") or {}).get("RoleArn"), due_of(found)
        if role != self.dead_man.scheduler_role_arn:
            return f"its role is {role}, not {self.dead_man.scheduler_role_arn}"
        if due is None or abs(due - self.due) > NEAR:
            return f"it is {found.get('State')} for {found.get('ScheduleExpression')}, not for {self.due:{WHEN}}"
        after = found.get("ActionAfterCompletion")
        return "" if after == "DELETE" else f"ActionAfterCompletion is {after}, not DELETE"


def target(dead_man: DeadMan) -> str:
    """Return the ARN of Scheduler's universal target, in the partition of the role it is called with."""
    partition = dead_man.scheduler_role_arn.split(":")[1]
    return f"arn:{partition}:scheduler:::aws-sdk:eks:deleteNodegroup"


def due_of(found: Mapping[str, Any]) -> datetime | None:
    """Return when a schedule fires; None for one that does not, or not once at a time in UTC."""
    if found.get("State") != "ENABLED" or found.get("ScheduleExpressionTimezone") != "UTC":
        return None
    try:
        return datetime.strptime(str(found.get("ScheduleExpression")), WHEN).replace(tzinfo=UTC)
    except ValueError:
        return None


def _read(text: Any) -> Any:
    try:
        return json.loads(str(text))
    except ValueError:
        return None
