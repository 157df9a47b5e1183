"""Real exchanges with the simulated clouds, for tests of their judge."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from cloud_judge.exchange import Exchange
from cloud_judge.judge import operation_name
from cloud_judge.recorder import Recorder
from google.auth.transport.requests import AuthorizedSession
from google.oauth2.credentials import Credentials

from multicluster.errors import NodePoolNotFoundError
from multicluster.kinds.eks.node_pool_options import DeadMan, EksNodePoolOptions
from multicluster.kinds.eks.node_pools import EksNodePools
from multicluster.kinds.gke.node_pools import GkeNodePools
from multicluster.node_pools.lease import Lease
from multicluster.node_pools.pool import NodePoolSpec
from multicluster.node_pools.profile import Gpu, NodePoolProfile
from multicluster.node_pools.protocol import NodePools
from multicluster.simulator import Delays, World

ROLE = "arn:aws:iam::111122223333:role/gpu-node"
SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]


def live(world: World, pools: NodePools, profile: NodePoolProfile, look: Callable[[], object]) -> None:
    """Lead a pool through its life; ``look`` once it has machines."""
    lease = Lease(owner="a1b2c3d4e5", expires_at=datetime.now(UTC).replace(microsecond=0) + timedelta(hours=6))
    pools.create(NodePoolSpec(name="train", size=1, profile=profile, max_lifetime_seconds=6 * 3600), lease)
    pools.get("train")
    world.settle()
    look()
    pools.fill("train")
    world.settle()
    pools.get("train")
    list(pools.list())
    pools.instances("train")
    pools.delete("train")
    world.settle()
    with pytest.raises(NodePoolNotFoundError):
        pools.get("train")


@pytest.fixture(scope="session")
def exchanges(recorder: Recorder) -> dict[str, list[Exchange]]:
    """Give what passes the doors in the life of a pool on either cloud, by operation."""
    with recorder.listen() as heard, World(delays=Delays.none()) as world, pytest.MonkeyPatch.context() as patch:
        world.add_eks("gpu")
        world.add_gke("gpu")
        for name, value in world.env().items():
            patch.setenv(name, value)
        session, google = boto3.session.Session(), world.google
        dead_man = DeadMan(scheduler_role_arn=ROLE.replace("gpu-node", "deadman"))
        options = EksNodePoolOptions(node_role_arn=ROLE, subnets=("subnet-a",), dead_man=dead_man)
        eks = EksNodePools(session=session, cluster_name="gpu", region="us-east-1", options=options)
        groups = session.client("autoscaling", "us-east-1").describe_auto_scaling_groups
        live(world, eks, NodePoolProfile(instance_types=("g6.xlarge",), gpu=Gpu()), groups)
        token = google.tokens.mint(google.account, SCOPES, timedelta(days=1)).token
        gke = GkeNodePools(
            session=AuthorizedSession(Credentials(token)),
            project_id="acme",
            location="europe-west4",
            cluster_name="gpu",
            api_url=google.url,
            options=None,
        )
        live(world, gke, NodePoolProfile(instance_types=("g2-standard-4",), gpu=Gpu(type="nvidia-l4")), world.report)
        session.client("sts", "us-east-1").get_caller_identity()
    by_name: dict[str, list[Exchange]] = {}
    for one in heard:
        by_name.setdefault(operation_name(one), []).append(one)
    return by_name
