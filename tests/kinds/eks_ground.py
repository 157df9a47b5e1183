"""A simulated EKS cluster on a clock that is moved by hand, for what is EKS's own about leases."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.config import Config

from multicluster.kinds.eks.node_pool_options import DeadMan, EksNodePoolOptions
from multicluster.kinds.eks.node_pools import CONFIG, EksNodePools
from multicluster.node_pools import naming
from multicluster.node_pools.lease import Lease
from multicluster.node_pools.origin import Origin
from multicluster.node_pools.pool import NodePoolSpec, NodePoolState
from multicluster.node_pools.profile import NodePoolProfile
from multicluster.simulator import Delays, ManualClock, World

ACCOUNT = "111122223333"
ROLES = f"arn:aws:iam::{ACCOUNT}:role/"
DEAD_MAN = DeadMan(scheduler_role_arn=ROLES + "deadman")
OPTIONS = EksNodePoolOptions(node_role_arn=ROLES + "gpu-node", subnets=("subnet-a",), dead_man=DEAD_MAN)
ORIGIN = Origin(deployment="prod", dag_id="trän/a b", run_id="manual__2026-11-21T18:00:00+00:00", group_id="fit")
NAME = naming.pool_name(ORIGIN.owner, hint="fit")
SPEC = NodePoolSpec(name=NAME, size=1, profile=NodePoolProfile(instance_types=("g6.xlarge",)))
HOUR = timedelta(hours=1)
ASK_ONCE = CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 1}))
"""Asked again by botocore, a lost answer would never be seen here."""


@cache
def models() -> Any:
    """Keep the API models read once: they are most of what a boto3 client costs."""
    return botocore.session.get_session().get_component("data_loader")


def session() -> boto3.session.Session:
    """Open a session of the world's administrator."""
    inner = botocore.session.get_session()
    inner.register_component("data_loader", models())
    return boto3.session.Session(botocore_session=inner, region_name="us-east-1")


class Ground:
    """A simulated EKS cluster on a clock that is moved by hand, and AWS as an administrator sees it."""

    def __init__(self, world: World, clock: ManualClock) -> None:
        self.world, self.clock = world, clock
        self.cluster = world.add_eks("gpu")
        self.admin = session()

    def pools(self, options: EksNodePoolOptions | None = OPTIONS) -> EksNodePools:
        return EksNodePools(
            session=session(), cluster_name="gpu", region="us-east-1", options=options, clock=self.clock.now
        )

    def lease(self, term: timedelta = HOUR) -> Lease:
        now = self.clock.now().replace(microsecond=0)
        return Lease(owner=ORIGIN.owner, expires_at=now + term, ends_at=now + 6 * HOUR, term=term, origin=ORIGIN)

    @property
    def schedules(self) -> dict[str, datetime]:
        """Due times by name."""
        return {key[3]: schedule.due for key, schedule in self.world.aws.schedules.all.items()}

    @property
    def groups(self) -> list[str]:
        return [group.name for group in self.world.groups.groups.values()]

    @property
    def tags(self) -> dict[str, str]:
        (group,) = self.world.groups.groups.values()
        tags: dict[str, str] = group.settings["tags"]
        return tags

    def calls(self, operation: str) -> int:
        return self.world.aws.gateway.calls[operation]

    def until(self, condition: Callable[[], Any], most: int = 200) -> Any:
        for _ in range(most):
            if found := condition():
                return found
            self.clock.advance(20)
        raise TimeoutError("it did not come to hold")

    def active(self) -> None:
        """Let the pool become active."""
        self.until(lambda: self.pools().get(NAME).state is NodePoolState.ACTIVE)

    def end(self) -> None:
        """Have the pool deleted, by whomever."""
        self.active()
        self.pools().delete(NAME)
        self.until(lambda: not self.groups)

    def schedule(self, name: str = NAME, **given: Any) -> None:
        """Make a schedule as somebody else would."""
        aim = {"ClusterName": "gpu", "NodegroupName": name, **given}
        self.admin.client("scheduler").create_schedule(
            Name=name,
            ScheduleExpression=f"at({self.clock.now() + HOUR / 2:%Y-%m-%dT%H:%M:%S})",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={
                "Arn": "arn:aws:scheduler:::aws-sdk:eks:deleteNodegroup",
                "RoleArn": DEAD_MAN.scheduler_role_arn,
                "Input": json.dumps(aim),
            },
        )


def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ground]:
    """Start a world, and lead boto3 there."""
    clock = ManualClock()
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("multicluster.kinds.eks.node_pools.CONFIG", ASK_ONCE)
    with World(clock=clock, delays=Delays.realistic()) as world:
        for name, value in world.env().items():
            monkeypatch.setenv(name, value)
        yield Ground(world, clock)
