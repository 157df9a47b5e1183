"""The dead-man switch of one EKS cluster's node groups: armed before a group exists, released once it is gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

from multicluster.errors import CloudUnavailableError, NodePoolBusyError, NodePoolNotFoundError, NodePoolRefusedError
from multicluster.kinds.eks.dead_man_schedule import DeadManSchedule, due_of
from multicluster.kinds.eks.node_pool_errors import node_pool_errors
from multicluster.kinds.eks.node_pool_options import DeadMan
from multicluster.node_pools import naming
from multicluster.node_pools.leftover import Leftover, LeftoverKind

TRUST = "execution role"
"""What Scheduler's refusal says when it may not assume the role."""


class DeadManSwitch:
    """Keeps one schedule for each node group, under the group's own name.

    *client* returns boto3's client of EventBridge Scheduler; each call blocks on AWS, and none waits.
    """

    def __init__(self, *, client: Callable[[], Any], cluster_name: str, region: str, dead_man: DeadMan) -> None:
        self._client = client
        self._cluster = cluster_name
        self._dead_man = dead_man
        self._where = f"cluster {cluster_name!r} in {region}: dead-man switch"

    def arm(self, name: str, *, owner: str, due: datetime) -> bool:
        """Have AWS delete the node group at *due*; return once that was read back, whether the schedule was made anew.

        Made where it is missing, moved where it is there for this group. Raises NodePoolRefusedError for what a person
        must mend, a schedule of somebody else included; what passes is transient.
        """
        wanted = self._schedule(name, due)
        found, made = self._find(name), False
        if found is None:
            found, made = self._made(wanted, owner)
        if not wanted.is_for_this_group(found):
            raise NodePoolRefusedError(
                f"{self._where}: schedule {name!r} in group {self._dead_man.group_name!r} is there and is for "
                "something else, so no pool is made under it; delete it, or give this cluster its own "
                "nodePools.eks.deadMan.groupName"
            )
        if wanted.differs(found):
            with self._errors("UpdateSchedule", name):
                self._client().update_schedule(**wanted.request(owner))
            self._refuse_unless_armed(wanted)
        return made

    def due(self, name: str) -> datetime | None:
        """Return when AWS deletes the node group; None when it will not."""
        found = self._find(name)
        wanted = self._schedule(name)
        return due_of(found) if found and wanted.is_for_this_group(found) else None

    def release(self, name: str) -> None:
        """Delete the schedule of a node group that is gone; one that is not there, or not ours, is left as it is."""
        found = self._find(name)
        if found is None or not self._schedule(name).is_for_this_group(found):
            return
        with suppress(NodePoolNotFoundError), self._errors("DeleteSchedule", name, missing=NodePoolNotFoundError):
            self._client().delete_schedule(GroupName=self._dead_man.group_name, Name=name)

    def listed(self) -> dict[str, datetime]:
        """Return the schedules that bear names of our making, and when each was last moved; some may be others'."""
        group = self._dead_man.group_name
        with self._errors("ListSchedules", group):
            pages = self._client().get_paginator("list_schedules").paginate(GroupName=group, NamePrefix=naming.PREFIX)
            found = [one for page in pages for one in page["Schedules"]]
        return {str(one["Name"]): one["LastModificationDate"].astimezone(UTC) for one in found}

    def leftover(self, name: str, since: datetime) -> Leftover | None:
        """Return a schedule as what is left of a group that is gone; None where it is for no group of the cluster."""
        found = self._find(name)
        if not found or not self._schedule(name).is_for_this_group(found):
            return None
        return Leftover(kind=LeftoverKind.SCHEDULE, id=name, pool=name, since=since, ours=naming.is_ours(name))

    def _made(self, wanted: DeadManSchedule, owner: str) -> tuple[dict[str, Any], bool]:
        """Create the schedule; return how it is read back, and False where another task of the owner was faster."""
        try:
            with self._errors("CreateSchedule", wanted.pool):
                self._client().create_schedule(**wanted.request(owner))
        except NodePoolBusyError:
            found = self._find(wanted.pool)
            if found is None:
                raise
            return found, False
        return self._refuse_unless_armed(wanted), True

    def _refuse_unless_armed(self, wanted: DeadManSchedule) -> dict[str, Any]:
        found = self._find(wanted.pool)
        wrong = wanted.differs(found) if found else "it is not there"
        if found is None or wrong:
            raise CloudUnavailableError(
                f"{self._where}: schedule {wanted.pool!r} was written, and read back: {wrong}; ask again"
            )
        return found

    def _find(self, name: str) -> dict[str, Any] | None:
        with suppress(NodePoolNotFoundError), self._errors("GetSchedule", name, missing=NodePoolNotFoundError):
            found: dict[str, Any] = self._client().get_schedule(GroupName=self._dead_man.group_name, Name=name)
            return found
        return None

    def _schedule(self, name: str, due: datetime = datetime.max) -> DeadManSchedule:  # noqa: DTZ901 - never written
        return DeadManSchedule(cluster_name=self._cluster, pool=name, due=due, dead_man=self._dead_man)

    @contextmanager
    def _errors(self, call: str, name: str, *, missing: type[Exception] | None = None) -> Iterator[None]:
        """Let only errors of ours out, with the next step; *missing* passes as it is."""
        try:
            with node_pool_errors(f"{self._where}: {call} {name}"):
                yield
        except NodePoolNotFoundError as error:
            if missing is not None:
                raise
            group = self._dead_man.group_name
            if call == "UpdateSchedule":
                raise NodePoolBusyError(f"{error} It fired, or was deleted, this moment; ask again") from error
            raise NodePoolRefusedError(
                f"{error} Nothing was made. Create the schedule group: "
                f"aws scheduler create-schedule-group --name {group}"
            ) from error
        except NodePoolRefusedError as error:
            raise NodePoolRefusedError(f"{str(error).rstrip('.')}. {self._way_out(str(error))}") from error

    def _way_out(self, refusal: str) -> str:
        role = self._dead_man.scheduler_role_arn
        if TRUST in refusal:
            what = f"{role} must exist and trust scheduler.amazonaws.com (infra/iam/aws/dead-man-trust.json)"
        elif "AccessDenied" in refusal:
            what = (
                f"Allow what infra/iam/aws/dead-man-arm.json allows in schedule group "
                f"{self._dead_man.group_name!r}, and iam:PassRole on {role}"
            )
        else:
            what = "Check nodePools.eks.deadMan in the registry"
        return f"{what}; nodePools.eks.deadMan: off makes pools that AWS itself never ends"
