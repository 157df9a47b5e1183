"""The grounds that laws of node pools are held on: the fake, both simulated clouds, with real nodes too, and moto."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Protocol, TypeVar

import boto3
import botocore.session
import pytest
import requests
from google.auth.transport.requests import AuthorizedSession
from google.oauth2.credentials import Credentials
from moto import mock_aws
from moto.eks import models as moto_eks
from moto.server import ThreadedMotoServer

from multicluster.cli.demo.grounds import cannot_run, launcher
from multicluster.errors import CloudUnavailableError, NodePoolBusyError, NodePoolRefusedError
from multicluster.grounds.testbeds import Testbeds
from multicluster.kinds.eks.node_pool_options import DeadMan, EksNodePoolOptions
from multicluster.kinds.eks.node_pools import EksNodePools
from multicluster.kinds.gke.node_pools import GkeNodePools
from multicluster.node_pools.lease import Lease
from multicluster.node_pools.node_facts import NodeFacts
from multicluster.node_pools.pool import NodePoolSpec, Problem
from multicluster.node_pools.profile import Gpu, NodePoolProfile
from multicluster.node_pools.protocol import NodePools
from multicluster.simulator import Delays, ManualClock, SystemClock, World
from multicluster.testing.fake_clock import FakeClock
from multicluster.testing.fake_node_pools import FakeNodePools

T = TypeVar("T")
OPTIONS = EksNodePoolOptions(
    node_role_arn="arn:aws:iam::111122223333:role/gpu-node",
    subnets=("subnet-a", "subnet-b"),
    tags={"team": "ml"},
    dead_man=DeadMan(scheduler_role_arn="arn:aws:iam::111122223333:role/deadman"),
)
STEP, STEPS = 20, 200
PACE, PATIENCE = 0.2, 180
"""Seconds of the machine's time: between two looks at real nodes, and for what is waited for."""
NO_MACHINES = Problem(code="InsufficientInstanceCapacity", message="none left in the zone", capacity=True, times=2)


class Ground(Protocol):
    """A cloud that can be made to misbehave, and its time."""

    profile: NodePoolProfile

    def pools(self) -> NodePools: ...
    def now(self) -> datetime: ...
    def pass_time(self) -> None: ...
    def nodes(self, name: str) -> list[NodeFacts]: ...
    def fail_creation(self) -> None: ...
    def fail_deletion(self) -> None: ...
    def lack_capacity(self) -> None: ...
    def lose_an_answer(self) -> None: ...
    def throttle(self) -> None: ...
    def deny_creation(self) -> None: ...
    def read_late(self) -> None: ...


class FakeGround:
    profile = NodePoolProfile(instance_types=("any",), gpu=Gpu())

    def __init__(self, _stack: ExitStack, _patch: pytest.MonkeyPatch) -> None:
        self.clock = FakeClock()
        self.fake = FakeNodePools(clock=self.clock)

    def pools(self) -> NodePools:
        return self.fake

    def now(self) -> datetime:
        return self.clock()

    def pass_time(self) -> None:
        self.clock.advance(STEP)

    def nodes(self, name: str) -> list[NodeFacts]:
        return list(self.fake.nodes(name))

    def fail_creation(self) -> None:
        self.fake.failure = Problem(code="NodeCreationFailure", message="instances failed to join", fatal=True)

    def fail_deletion(self) -> None:
        self.fake.deletion_failures = [Problem(code="SecurityGroupInUse", message="a network interface uses it")]

    def lack_capacity(self) -> None:
        self.fake.shortage = NO_MACHINES

    def lose_an_answer(self) -> None:
        self.fake.answers_lost = 1

    def throttle(self) -> None:
        self.fake.refusals = [CloudUnavailableError("throttled")]

    def deny_creation(self) -> None:
        self.fake.refusals = [NodePoolRefusedError("not authorized")]

    def read_late(self) -> None:
        self.fake.refusals = [NodePoolBusyError("it exists and cannot be read yet")]


class SimulatedGround:
    """Either cloud of the simulator, on a clock of its own, with the delays of the real clouds."""

    create, everything = "", ""

    def __init__(self, stack: ExitStack, patch: pytest.MonkeyPatch) -> None:
        self.clock = ManualClock()
        self.world = stack.enter_context(World(clock=self.clock, delays=Delays.realistic()))
        self.cluster = self.add_cluster()
        self.enter(patch)

    def enter(self, patch: pytest.MonkeyPatch) -> None:
        for name in ("GOOGLE_APPLICATION_CREDENTIALS", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
            patch.delenv(name, raising=False)
        for name, value in self.world.env().items():
            patch.setenv(name, value)

    def add_cluster(self) -> Any:
        raise NotImplementedError

    def now(self) -> datetime:
        return self.clock.now()

    def pass_time(self) -> None:
        self.clock.advance(STEP)

    def nodes(self, name: str) -> list[NodeFacts]:
        return [NodeFacts.from_object(node) for node in self.cluster.kubernetes.objects("nodes")]

    def fail_creation(self) -> None:
        self.world.inject("create-fails", times=1)

    def fail_deletion(self) -> None:
        self.world.inject("delete-fails", times=1)

    def lack_capacity(self) -> None:
        self.world.inject("no-capacity")

    def lose_an_answer(self) -> None:
        self.world.inject("lost-response", operation=self.create)

    def throttle(self) -> None:
        self.world.inject("server-error", operation=self.everything)

    def deny_creation(self) -> None:
        self.world.inject("create-denied")

    def read_late(self) -> None:
        self.world.inject("not-found-yet", times=2)


class SimulatedEks(SimulatedGround):
    profile = NodePoolProfile(instance_types=("g6.xlarge",), gpu=Gpu())
    create, everything = "CreateNodegroup", ".*Nodegroup.*"

    def add_cluster(self) -> Any:
        return self.world.add_eks("gpu")

    def pools(self) -> NodePools:
        return eks_pools(self.clock.now)


class SimulatedGke(SimulatedGround):
    profile = NodePoolProfile(instance_types=("g2-standard-4",), gpu=Gpu(type="nvidia-l4"))
    create, everything = "nodePools.create", "nodePools.*"

    def add_cluster(self) -> Any:
        return self.world.add_gke("gpu")

    def pools(self) -> NodePools:
        scopes, google = ["https://www.googleapis.com/auth/cloud-platform"], self.world.google
        token = google.tokens.mint(google.account, scopes, timedelta(days=1)).token
        return GkeNodePools(
            session=AuthorizedSession(Credentials(token)),
            project_id="acme",
            location="europe-west4",
            cluster_name="gpu",
            api_url=self.world.google.url,
            options=None,
            clock=self.clock.now,
        )


class RealNodes:
    """The same clouds with a testbed behind each: a kubelet for every machine, and no time but the machine's."""

    clock = SystemClock()

    def __init__(self, stack: ExitStack, patch: pytest.MonkeyPatch, world: World) -> None:
        self.world = world
        self.cluster = self.add_cluster()
        self.enter(patch)
        stack.callback(self.clear_away)

    def clear_away(self) -> None:
        """Leave nothing for the next law."""
        self.world.faults.clear()
        self.world.host.run(self.delete_all)
        self.world.settle(180)
        assert self.world.report().nodes_left == ()

    def delete_all(self) -> None:
        for group in list(self.world.groups.groups.values()):
            self.world.groups.delete(group)

    def pass_time(self) -> None:
        self.world.host.call(asyncio.sleep(PACE))


class RealEks(RealNodes, SimulatedEks):
    def add_cluster(self) -> Any:
        return self.world.entrances["gpu"].cloud


class RealGke(RealNodes, SimulatedGke):
    def add_cluster(self) -> Any:
        return self.world.entrances["gpu-europe-west4"].cloud


class MotoGround:
    """moto, in this process or as a server. What it cannot be made to do is in test_moto_differences.py."""

    profile = SimulatedEks.profile

    def __init__(self, stack: ExitStack, patch: pytest.MonkeyPatch, server: str = "") -> None:
        self.patch = patch
        enter_moto(stack, patch, server)

    def pools(self) -> NodePools:
        return eks_pools(self.now)

    def now(self) -> datetime:
        return datetime.now(UTC)

    def pass_time(self) -> None:
        """Nothing changes in moto with time."""

    def nodes(self, name: str) -> list[NodeFacts]:
        raise NotImplementedError

    def fail_creation(self) -> None:
        made = moto_eks.Nodegroup.__init__

        def fail(self: Any, *args: Any, **kwargs: Any) -> None:
            made(self, *args, **kwargs)
            self.status = "CREATE_FAILED"
            issue = {"code": "NodeCreationFailure", "message": "Instances failed to join", "resourceIds": ["i-1"]}
            self.health = {"issues": [issue]}

        self.patch.setattr(moto_eks.Nodegroup, "__init__", fail)

    def fail_deletion(self) -> None:
        raise NotImplementedError

    lack_capacity = lose_an_answer = throttle = deny_creation = read_late = fail_deletion


GROUNDS: dict[str, Any] = {
    "fake": FakeGround,
    "simulated-eks": SimulatedEks,
    "simulated-gke": SimulatedGke,
    "moto": MotoGround,
    "moto-server": MotoGround,
    "testbed-eks": RealEks,
    "testbed-gke": RealGke,
}
NEEDED = {"moto-server": "moto_server", "testbed-eks": "testbed_world", "testbed-gke": "testbed_world"}
"""Fixtures of grounds that outlive a test."""


def enter_moto(stack: ExitStack, patch: pytest.MonkeyPatch, server: str) -> None:
    """Lead boto3 to an empty moto with one cluster, until the stack is closed: in this process, or at an address."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        patch.setenv(name, "testing")
    for name in [name for name in os.environ if name.startswith("AWS_ENDPOINT_URL")]:
        patch.delenv(name)  # a world of other tests in this process
    if server:
        patch.setenv("AWS_ENDPOINT_URL", server)
        requests.post(f"{server}/moto-api/reset", timeout=10).raise_for_status()
    else:
        stack.enter_context(mock_aws())
    role = "arn:aws:iam::123456789012:role/eks"
    boto3.client("eks", "us-east-1").create_cluster(name="gpu", roleArn=role, resourcesVpcConfig={})


@cache
def models() -> Any:
    """Keep the API models read once: they are most of what a boto3 client costs."""
    return botocore.session.get_session().get_component("data_loader")


def eks_pools(clock: Callable[[], datetime]) -> EksNodePools:
    inner = botocore.session.get_session()
    inner.register_component("data_loader", models())
    session = boto3.session.Session(botocore_session=inner)
    return EksNodePools(session=session, cluster_name="gpu", region="us-east-1", options=OPTIONS, clock=clock)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Hold each law on all grounds, except on moto where it is marked to differ (``not_on_moto``).

    Real nodes make a difference only to laws in which time passes.
    """
    if "ground" not in metafunc.fixturenames:
        return
    left_out = {"moto", "moto-server"} if metafunc.definition.get_closest_marker("not_on_moto") else set()
    if "until" not in metafunc.fixturenames:
        left_out |= {"testbed-eks", "testbed-gke"}
    marks = [pytest.mark.testbed, pytest.mark.timeout(300)]
    grounds = [
        pytest.param(name, marks=marks if name.startswith("testbed") else [])
        for name in GROUNDS
        if name not in left_out
    ]
    metafunc.parametrize("ground", grounds, indirect=True)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "not_on_moto(difference): moto differs, as the test of that name asserts")


@pytest.fixture(scope="session")
def moto_server() -> Iterator[str]:
    """Start moto's server; yields its address."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def testbed_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Start both clouds with a testbed each, or skip where there can be none."""
    reason = cannot_run(launcher(), platform=sys.platform, root=os.geteuid() == 0)
    if reason:
        pytest.skip(reason)
    ground = Testbeds(command=launcher(), folder=tmp_path_factory.mktemp("worlds"), clock=SystemClock())
    delays = Delays(
        create=1.5, node_join=0.1, node_ready=0, gpu_ready=0.2, drain=0.1, delete=0.2, operation=0.1, scale_idle=600
    )  # an idle node must not go while the one beside it, on a busy machine, is still coming
    with World(delays=delays, ground=ground) as world:
        world.add_eks("gpu", system_nodes=0)
        world.add_gke("gpu", system_nodes=0)
        yield world


@pytest.fixture(params=["in process", "over HTTP"])
def aws(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[boto3.session.Session]:
    """A session that leads to moto, in either of its forms."""
    with ExitStack() as stack:
        server = request.getfixturevalue("moto_server") if request.param == "over HTTP" else ""
        enter_moto(stack, monkeypatch, server)
        yield boto3.session.Session(region_name="us-east-1")


@pytest.fixture
def ground(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, judged: object) -> Iterator[Ground]:
    with ExitStack() as stack:
        more = [request.getfixturevalue(NEEDED[request.param])] if request.param in NEEDED else []
        yield GROUNDS[request.param](stack, monkeypatch, *more)


@pytest.fixture
def pools(ground: Ground) -> NodePools:
    return ground.pools()


@pytest.fixture
def spec(ground: Ground) -> NodePoolSpec:
    return NodePoolSpec(name="train", size=2, profile=ground.profile, max_lifetime_seconds=6 * 3600)


@pytest.fixture
def lease(ground: Ground) -> Lease:
    return Lease(owner="a1b2c3d4e5", expires_at=(ground.now() + timedelta(hours=6)).replace(microsecond=0))


@pytest.fixture
def until(ground: Ground, pools: NodePools) -> Callable[[Callable[[], Any]], Any]:
    """Let time pass, as a waiting sensor does: with a look at every step, until the condition holds."""
    steps = int(PATIENCE / PACE) if isinstance(ground, RealNodes) else STEPS

    def wait(condition: Callable[[], T]) -> T:
        for _ in range(steps):
            found = condition()
            if found:
                return found
            ground.pass_time()
        raise TimeoutError(f"{condition} did not hold in {steps} steps")

    return wait
