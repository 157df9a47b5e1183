"""A role of the simulated AWS that has exactly the policies of a test, and what the toolkit does as that role.

The work of a role is a list of steps; a generator yields the name of each step before it takes it, so that the last
name is where the work broke.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from kubernetes.client import CoreV1Api

from multicluster import Cluster, Lease, NodePool, load_registry
from multicluster.errors import MulticlusterError, NodePoolNotFoundError
from multicluster.kinds.eks.dead_man import DeadManSwitch
from multicluster.kinds.eks.node_pool_options import DeadMan, EksNodePoolOptions
from multicluster.kinds.eks.node_pools import EksNodePools
from multicluster.node_pools.lease import GRACE
from multicluster.node_pools.pool import NodePoolSpec, NodePoolState
from multicluster.node_pools.profile import Gpu, NodePoolProfile
from multicluster.simulator import Delays, ManualClock, World
from multicluster.simulator.aws.identities import AccessKey

from .documents import FACTS, Policy

NAME = "mc-train-0123456789"
NODE_ROLE = f"arn:aws:iam::{FACTS['ACCOUNT']}:role/{FACTS['NODE_ROLE']}"
DEAD_MAN = DeadMan(
    scheduler_role_arn=f"arn:aws:iam::{FACTS['ACCOUNT']}:role/{FACTS['DEAD_MAN_ROLE']}", group_name="multicluster"
)
OPTIONS = EksNodePoolOptions(node_role_arn=NODE_ROLE, subnets=("subnet-a",), tags={"team": "ml"}, dead_man=DEAD_MAN)
UNARMED = OPTIONS.model_copy(update={"dead_man": "off"})
PROFILE = NodePoolProfile(instance_types=("g6.xlarge",), gpu=Gpu())
SPEC = NodePoolSpec(name=NAME, size=1, profile=PROFILE, max_lifetime_seconds=3600)
MONTH = timedelta(days=30)
STEP, STEPS = 30, 60

Steps = Iterator[str]
Work = Callable[["AwsBench"], Steps]


class AwsBench:
    """Two EKS clusters of one account, an administrator, and the role that is on trial."""

    def __init__(self, world: World, clock: ManualClock, patch: pytest.MonkeyPatch) -> None:
        self.world, self.clock = world, clock
        self.gpu, self.other = world.add_eks("gpu"), world.add_eks("other")
        for name in ("AWS_PROFILE", "AWS_ROLE_ARN", "GOOGLE_APPLICATION_CREDENTIALS"):
            patch.delenv(name, raising=False)
        for name, value in world.env().items():
            patch.setenv(name, value)
        self.admin = boto3.Session(world.aws.key.id, world.aws.key.secret, region_name="us-east-1")
        self.role, self.dead_man = (
            f"arn:aws:iam::{FACTS['ACCOUNT']}:role/{FACTS[name]}" for name in ("AIRFLOW_ROLE", "DEAD_MAN_ROLE")
        )
        key = world.aws.iam.open_session(world.aws.iam.roles[self.role], "trial", MONTH.total_seconds())
        patch.setenv("AWS_ACCESS_KEY_ID", key.id)
        patch.setenv("AWS_SECRET_ACCESS_KEY", key.secret)
        patch.setenv("AWS_SESSION_TOKEN", str(key.session_token))
        self.session = boto3.Session(key.id, key.secret, key.session_token, "us-east-1")
        self.pools = self.pools_of(self.session, UNARMED)
        self.clients: dict[str, Any] = {}
        document = world.registry()
        document["clusters"] = [entry for entry in document["clusters"] if entry["name"] == "gpu"]  # type: ignore[attr-defined]
        path = world.root / "registry.json"
        path.write_text(json.dumps(document))
        self.registry = path

    def attach(self, *documents: Policy) -> None:
        """Let the role on trial have these policies and no others."""
        self.world.aws.policies.attach(self.role, *documents)

    def cluster(self) -> Cluster:
        """Open the registry anew: nothing is cached yet."""
        return load_registry(self.registry)["gpu"]

    def client(self, service: str) -> Any:
        """Make a client of the role on trial."""
        if service not in self.clients:
            self.clients[service] = self.session.client(service)
        return self.clients[service]

    def sts(self, key: AccessKey) -> Any:
        """Make a client of STS that signs with a key."""
        return boto3.Session(key.id, key.secret, key.session_token, "us-east-1").client("sts")

    def pools_of(self, session: boto3.Session, options: EksNodePoolOptions = OPTIONS) -> EksNodePools:
        """Return the node pools of the cluster, as somebody sees them."""
        return EksNodePools(
            session=session, cluster_name="gpu", region="us-east-1", options=options, clock=self.clock.now
        )

    def lease(self, term: timedelta = MONTH) -> Lease:
        """Return a lease, for long."""
        return Lease(owner="a1b2c3", expires_at=(self.clock.now() + term).replace(microsecond=0))

    def until(self, condition: Callable[[], Any]) -> Any:
        """Let time pass until a condition holds."""
        for _ in range(STEPS):
            if found := condition():
                return found
            self.clock.advance(STEP)
        raise TimeoutError("the clouds did not get there")

    def clean(self) -> None:
        """Take away all that a broken piece of work has left."""
        for key in list(self.world.aws.schedules.all):
            self.admin.client("scheduler").delete_schedule(GroupName=key[2], Name=key[3])
        client = self.admin.client("eks")
        for group in self.groups():
            self.until(lambda group=group: deleted(client, *group.target.split("/")))

    def groups(self) -> list[Any]:
        """Return the node groups that are there."""
        return list(self.world.groups.groups.values())


def deleted(client: Any, cluster: str, name: str) -> bool:
    """Ask for the end of a node group; tell whether it has come."""
    try:
        client.delete_nodegroup(clusterName=cluster, nodegroupName=name)
    except ClientError as error:
        return error.response["Error"]["Code"] == "ResourceNotFoundException"
    return False


def broken(bench: AwsBench, work: Work) -> str:
    """Do the work; return the name of the step where it broke, or nothing."""
    step = "before its first step"
    try:
        for step in work(bench):  # noqa: B007 - used when the work breaks
            pass
    except (MulticlusterError, ClientError, AssertionError, TimeoutError):
        return step
    finally:
        bench.clean()
    return ""


def active(pools: EksNodePools) -> NodePool | None:
    """Return the pool once it is active."""
    pool = pools.get(NAME)
    return pool if pool.state is NodePoolState.ACTIVE else None


def gone(pools: EksNodePools) -> bool:
    """Tell whether the pool is gone."""
    try:
        pools.get(NAME)
    except NodePoolNotFoundError:
        return True
    return False


def life_of_a_pool(bench: AwsBench) -> Steps:
    """What a NodePoolTaskGroup does, and the look at the cluster before it."""
    yield "the cluster's endpoint is found"
    assert bench.cluster().access.endpoint().server == bench.gpu.kubernetes.url
    yield "a pool is made, with its lease"
    bench.pools.create(SPEC, bench.lease())
    yield "a young pool shows no trouble"
    assert bench.pools.get(NAME).problems == ()
    yield "an active pool shows no trouble"
    assert bench.until(lambda: active(bench.pools)).problems == ()
    yield "its machines are counted"
    assert len(bench.pools.instances(NAME)) == 1
    yield "the pools are listed"
    assert [pool.name for pool in bench.pools.list()] == [NAME]
    yield "its lease is renewed"
    renewed = bench.lease(2 * MONTH)
    bench.pools.renew(NAME, renewed)
    assert bench.pools.get(NAME).lease == renewed
    yield "the pool is deleted"
    bench.pools.delete(NAME)
    yield "the pool is gone, and deleting it again says so"
    bench.until(lambda: gone(bench.pools))
    with pytest.raises(NodePoolNotFoundError):
        bench.pools.delete(NAME)


def token(bench: AwsBench) -> Steps:
    """What a worker does that only runs pods."""
    yield "a client reaches the cluster"
    assert CoreV1Api(bench.cluster().client()).list_namespace().items


def reaping(bench: AwsBench) -> Steps:
    """What a reaper does with a pool that somebody else has left, and with what is left of one that is gone."""
    theirs, ours, lease = bench.pools_of(bench.admin), bench.pools_of(bench.session), bench.lease()
    theirs.create(SPEC, lease)
    yield "the cluster's endpoint is found"
    assert bench.cluster().access.endpoint().server == bench.gpu.kubernetes.url
    yield "the leases are listed"
    pools = list(ours.list())
    assert [(pool.name, pool.lease) for pool in pools] == [(NAME, lease)]
    yield "a young pool shows no trouble"
    assert pools[0].problems == ()
    yield "an active pool shows no trouble"
    bench.until(lambda: active(theirs))
    assert ours.get(NAME).problems == ()
    yield "its machines are counted"
    assert len(ours.instances(NAME)) == 1
    yield "the dead-man switch is looked at"
    assert ours.armed(NAME) == lease.expires_at + GRACE
    yield "the pool is deleted"
    ours.delete(NAME)
    yield "the pool is gone"
    bench.until(lambda: gone(ours))
    yield "its schedule is found to be left over"
    assert [one.id for one in ours.leftovers()] == [NAME]
    yield "its schedule is removed"
    ours.release(NAME)
    assert not bench.world.aws.schedules.all


def dead_man(bench: AwsBench) -> Steps:
    """What EventBridge Scheduler does when a lease is over, and nobody of ours is there."""
    bench.pools_of(bench.admin).create(SPEC, bench.lease(timedelta(hours=1)))
    yield "the pool is deleted"
    bench.clock.advance((timedelta(hours=1) + GRACE).total_seconds())
    bench.until(lambda: not bench.groups())


def arming(bench: AwsBench) -> Steps:
    """What arms the switch, moves it and disarms it, beside `node-pools`."""
    switch = DeadManSwitch(
        client=lambda: bench.client("scheduler"), cluster_name="gpu", region="us-east-1", dead_man=DEAD_MAN
    )
    soon, later = (bench.clock.now().replace(microsecond=0) + timedelta(hours=hours) for hours in (1, 2))
    yield "the switch is armed, and read back"
    switch.arm(NAME, owner="a1b2c3", due=soon)
    assert switch.due(NAME) == soon
    yield "the switch is moved"
    switch.arm(NAME, owner="a1b2c3", due=later)
    assert switch.due(NAME) == later
    yield "the switch is disarmed"
    switch.release(NAME)
    assert not bench.world.aws.schedules.all


def becoming_the_role(bench: AwsBench) -> Steps:
    """What a worker does whose registry names a role."""
    yield "the cluster's role is assumed"
    bench.client("sts").assume_role(RoleArn=bench.role, RoleSessionName="worker")


def bench(patch: pytest.MonkeyPatch) -> Iterator[AwsBench]:
    """Open a world for a module's tests."""
    clock = ManualClock(datetime.now(UTC))
    with World(clock=clock, delays=Delays.realistic()) as world:
        made = AwsBench(world, clock, patch)
        made.admin.client("scheduler").create_schedule_group(Name="multicluster")
        yield made
