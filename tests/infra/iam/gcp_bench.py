"""A service account of the simulated Google with exactly the permissions of a test, and the toolkit's work as it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.auth.transport.requests import AuthorizedSession
from google.oauth2.credentials import Credentials
from kubernetes.client import ApiException, CoreV1Api

from multicluster import Cluster, Lease, NodePool, load_registry
from multicluster.errors import MulticlusterError, NodePoolBusyError, NodePoolNotFoundError
from multicluster.kinds.gke.node_pool_options import GkeNodePoolOptions
from multicluster.kinds.gke.node_pools import GkeNodePools
from multicluster.node_pools.pool import NodePoolSpec, NodePoolState
from multicluster.node_pools.profile import Gpu, NodePoolProfile
from multicluster.simulator import Delays, World

NAME = "mc-train-0123456789"
NODES = "gpu-nodes@acme.iam.gserviceaccount.com"
PROFILE = NodePoolProfile(instance_types=("g2-standard-4",), gpu=Gpu(type="nvidia-l4"))
SPEC = NodePoolSpec(name=NAME, size=1, profile=PROFILE, max_lifetime_seconds=24 * 3600)
MONTH = timedelta(days=30)

Steps = Iterator[str]
Work = Callable[["GcpBench"], Steps]


class GcpBench:
    """One GKE cluster, an administrator, and the service account that is on trial."""

    def __init__(self, world: World, patch: pytest.MonkeyPatch) -> None:
        self.world = world
        self.gke = world.add_gke("gpu")
        patch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
        for name, value in world.env().items():
            patch.setenv(name, value)
        self.trial = world.google.accounts.add("trial", "acme")
        self.pools, self.theirs = self.pools_of(self.trial), self.pools_of(world.google.account)
        key = world.root / "trial.json"
        key.write_text(json.dumps(world.google.key_file("trial")))
        document: Any = world.registry()
        document["clusters"][0]["auth"]["gke"]["credentials"] = {"serviceAccountFile": str(key)}
        self.registry = world.root / "registry.json"
        self.registry.write_text(json.dumps(document))

    def pools_of(self, account: Any, nodes: str = NODES) -> GkeNodePools:
        """Return the node pools of the cluster, as an account sees them; ``nodes`` is the account of new nodes."""
        google = self.world.google
        token = google.tokens.mint(account, ["https://www.googleapis.com/auth/cloud-platform"], MONTH).token
        return GkeNodePools(
            session=AuthorizedSession(Credentials(token)),
            project_id="acme",
            location="europe-west4",
            cluster_name="gpu",
            api_url=google.url,
            options=GkeNodePoolOptions(service_account=nodes),
        )

    def grant(self, project: tuple[str, ...], nodes: tuple[str, ...] = ()) -> None:
        """Let the account on trial have these permissions in the project and on the nodes' account, and no others."""
        self.world.google.grants.grant(self.trial.email, project)
        self.world.google.grants.grant(self.trial.email, nodes, on=NODES)

    def cluster(self) -> Cluster:
        """Open the registry anew: nothing is cached yet."""
        return load_registry(self.registry)["gpu"]

    def lease(self, term: timedelta = MONTH) -> Lease:
        """Return a lease for long."""
        return Lease(owner="a1b2c3", expires_at=(datetime.now(UTC) + term).replace(microsecond=0))

    def clean(self) -> None:
        """Take away all that a broken piece of work has left."""
        self.world.wait(lambda: deleted(self.theirs))


def deleted(pools: GkeNodePools) -> bool:
    """Ask for the end of the pool; tell whether it has come."""
    try:
        pools.delete(NAME)
    except NodePoolNotFoundError:
        return True
    except NodePoolBusyError:
        pass  # another operation holds the cluster for a while
    return False


def broken(bench: GcpBench, work: Work) -> str:
    """Do the work; return the name of the step where it broke, or nothing."""
    step = "before its first step"
    try:
        for step in work(bench):  # noqa: B007 - used when the work breaks
            pass
    except (MulticlusterError, ApiException, AssertionError):
        return step
    finally:
        bench.clean()
    return ""


def filled(pools: GkeNodePools) -> NodePool | None:
    """Return the pool once it has its machine."""
    pool = pools.fill(NAME)
    return pool if pool.state is NodePoolState.ACTIVE and pools.instances(NAME) else None


def renewed(pools: GkeNodePools, lease: Lease) -> bool:
    """Write a lease; tell whether GKE had time for it."""
    try:
        pools.renew(NAME, lease)
    except NodePoolBusyError:
        return False
    return True


def gone(pools: GkeNodePools) -> bool:
    """Tell whether the pool is gone."""
    try:
        pools.get(NAME)
    except NodePoolNotFoundError:
        return True
    return False


def token(bench: GcpBench) -> Steps:
    """What a worker does that only runs pods."""
    yield "the cluster's endpoint is found"
    cluster = bench.cluster()
    assert cluster.access.endpoint().server
    yield "a client reaches the cluster"
    assert CoreV1Api(cluster.client()).list_namespace().items


def life_of_a_pool(bench: GcpBench) -> Steps:
    """What a NodePoolTaskGroup does, and the look at the cluster before it."""
    yield from token(bench)
    yield "a pool is made"
    bench.pools.create(SPEC, bench.lease())
    yield "the pool is filled and its machines are counted"
    pool = bench.world.wait(lambda: filled(bench.pools))
    yield "an active pool shows no trouble"
    assert pool.problems == ()
    yield "the pools are listed"
    assert [pool.name for pool in bench.pools.list()] == [NAME]
    yield "its lease is renewed"
    longer = bench.lease(2 * MONTH)
    bench.world.wait(lambda: renewed(bench.pools, longer))
    assert bench.pools.get(NAME).lease == longer
    yield "the pool is deleted"
    bench.pools.delete(NAME)
    yield "the pool is gone, and deleting it again says so"
    bench.world.wait(lambda: gone(bench.pools))
    with pytest.raises(NodePoolNotFoundError):
        bench.pools.delete(NAME)


def reaping(bench: GcpBench) -> Steps:
    """What a reaper does with a pool that somebody else has left: `multicluster pools list` and `pools delete`."""
    lease = bench.lease()
    bench.theirs.create(SPEC, lease)
    bench.world.wait(lambda: filled(bench.theirs))
    yield from token(bench)
    yield "the leases are listed"
    pools = list(bench.pools.list())
    assert [(pool.name, pool.lease) for pool in pools] == [(NAME, lease)]
    yield "an active pool shows no trouble"
    assert pools[0].problems == ()
    yield "its machines are counted"
    assert len(bench.pools.instances(NAME)) == 1
    yield "nothing is left over"
    assert list(bench.pools.leftovers()) == []
    yield "the pool is deleted"
    bench.pools.delete(NAME)
    yield "the pool is gone"
    bench.world.wait(lambda: gone(bench.pools))


def bench(patch: pytest.MonkeyPatch) -> Iterator[GcpBench]:
    """Open a world for a module's tests."""
    with World(delays=Delays.none()) as world:
        yield GcpBench(world, patch)
