"""What is done to meet a fault: one verb of ours on one cluster of the world, and what it says in the end."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from kubernetes.client import CoreV1Api
from kubernetes_asyncio.client import CoreV1Api as AsyncCoreV1Api

from multicluster.brackets.gone import GoneLookout
from multicluster.brackets.keeping import LeaseKeeper
from multicluster.brackets.ready import ReadyLookout
from multicluster.errors import ClusterUnreachableError, MulticlusterError
from multicluster.node_pools.pool import NodePool
from multicluster.pods.kubernetes_source import KubernetesSource
from multicluster.pods.pace import Timing
from multicluster.pods.shared_follower import Place as WatchPlace
from multicluster.pods.watch import PodWatch
from multicluster.registry.cluster import Cluster

from .stage import Stage

QUICK = Timing(
    watch=60, silence=30, relist=120, first_delay=0.01, most_delay=0.05, give_up=30, forbidden=60, linger=0.05
)


def told(pool: NodePool) -> str:
    """Put a pool into words: state, status, problems with what they are judged to be."""
    problems = [
        f"{one.code}{' (capacity)' * one.capacity}{' (fatal)' * one.fatal}: {one.message}" for one in pool.problems
    ]
    return f"{pool.state.value} {pool.status}; " + "; ".join(problems)


def life(stage: Stage, cluster: str) -> str:
    """Create a pool and look at it once something went wrong, or nothing did."""
    stage.pools(cluster).create(stage.spec(cluster), stage.lease())
    if cluster == "gke":
        stage.world.settle()
        stage.pools(cluster).fill(stage.name)
    (group,) = (one for one in stage.world.groups.groups.values() if one.name == stage.name)
    stage.world.wait(lambda: any(one.message for one in group.activities) or group.problems or not group.tasks, 60)
    return told(stage.pools(cluster).get(stage.name))


def delete_twice(stage: Stage, cluster: str) -> str:
    """Delete a pool, look at what came of it, and delete it again."""
    stage.pools(cluster).delete(stage.name)
    stage.world.settle()
    after = told(stage.pools(cluster).get(stage.name))
    stage.pools(cluster).delete(stage.name)
    stage.world.settle()
    return f"{after}; then {len(stage.world.report().pools_left)} left"


def create_again(stage: Stage, cluster: str) -> str:
    """Make a pool, and ask for it again as another try of its task does."""
    stage.make(cluster)
    return told(stage.pools(cluster).create(stage.spec(cluster), stage.lease(hours=2)))


def create_and_see(stage: Stage, cluster: str) -> str:
    """Make a pool and look at it."""
    stage.make(cluster)
    return told(stage.pools(cluster).get(stage.name))


def fill_and_delete(stage: Stage, cluster: str) -> str:
    """Ask for the nodes of a pool, and give it up while the cloud still looks for them."""
    stage.pools(cluster).fill(stage.name)
    return str(stage.pools(cluster).delete(stage.name))


def create_twice(stage: Stage, cluster: str) -> str:
    """Ask for a pool; where that fails in passing, ask again; count the pools there are then."""
    try:
        stage.pools(cluster).create(stage.spec(cluster), stage.lease())
    except MulticlusterError as error:
        if not error.transient:
            raise
        stage.pools(cluster).create(stage.spec(cluster), stage.lease())
    return f"{len(stage.world.groups.groups)} pool"


def release(stage: Stage, cluster: str) -> str:
    """Take away the dead-man switch of a pool that is gone."""
    stage.pools(cluster).delete(stage.name)
    stage.world.settle()
    return str(stage.pools(cluster).release(stage.name))


def renew_and_look(stage: Stage, cluster: str) -> str:
    """Renew a lease, and read how far its end and its dead-man switch's are from what was asked for."""
    pools, lease = stage.pools(cluster), stage.lease(hours=2)
    pools.renew(stage.name, lease)
    late, grace = pools.get(stage.name).lease.expires_at - lease.expires_at, pools.armed(stage.name) - lease.expires_at
    return f"lease late by {late}, switch {grace} after it"


def ready(stage: Stage, cluster: str) -> str:
    """Look twice whether pods can run on the pool: what passes is waited for."""
    keeper = LeaseKeeper(share=0.45)
    lookout = ReadyLookout(stage.place(cluster), profile="l4", nodes=1, find=stage.cluster, keeper=keeper)
    return "; ".join(f"{found.status}: {found.text}" for found in (lookout.look(), lookout.look()))


def make_ready(stage: Stage, cluster: str) -> str:
    """Make a pool, and look whether pods can run on it."""
    stage.make(cluster)
    return ready(stage, cluster)


def gone(stage: Stage, cluster: str) -> str:
    """Look twice whether the pool is gone, which it is not."""
    lookout = GoneLookout(stage.place(cluster), asks=3, find=stage.cluster, keeper=LeaseKeeper(share=0.45))
    return "; ".join(f"{found.status}: {found.text}" for found in (lookout.look(), lookout.look()))


def labelled(stage: Stage, cluster: str) -> str:
    """Change an object that is there."""
    core = CoreV1Api(stage.cluster(cluster).client())
    return str(core.patch_namespace("default", {"metadata": {"labels": {"run": stage.name}}}).metadata.labels["run"])


def pod_twice(stage: Stage, cluster: str) -> str:
    """Ask for a pod; where nobody knows whether it was made, ask again."""
    with suppress(ClusterUnreachableError):
        return ACTS["pod"](stage, cluster)
    return ACTS["pod"](stage, cluster)


async def _nodes_async(cluster: Cluster) -> str:
    client = await cluster.async_client()
    try:
        found = await AsyncCoreV1Api(client).list_node()
    finally:
        await client.close()
    return f"{len(found.items)} nodes"


async def _watched(stage: Stage, name: str) -> str:
    """Wait for a pod by the shared watch, and be told of its end."""
    kubernetes: Any = stage.world.entrances[name].kubernetes
    kubernetes.create("pods", {**pod(stage.name), "spec": {**pod("")["spec"], "schedulerName": "nobody"}})
    client = await stage.cluster(name).async_client()

    async def lend() -> Any:
        return client

    @asynccontextmanager
    async def connect() -> Any:
        yield KubernetesSource(lend, namespace="default", kind="pod", labels={})

    where = WatchPlace(cluster=name, namespace="default", timing=QUICK, chance=random.Random(1))
    watch = PodWatch(connect, where, labels={}, ended=lambda: None)
    async with client, asyncio.timeout(60), watch.waiting_for(stage.name) as one:
        while not await one.read():
            await one.news(within=0.05, interval=60)
        while not kubernetes.requests["watch", "pods"]:
            await one.news(within=0.05, interval=60)
        kubernetes.delete("pods", stage.name)
        while await one.read():
            await one.news(within=0.05, interval=60)
    return "told of its end"


def pod(name: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"containers": [{"name": "base", "image": "busybox"}]}}


ACTS: dict[str, Callable[[Stage, str], str]] = {
    "create": lambda stage, on: told(stage.pools(on).create(stage.spec(on), stage.lease())),
    "get": lambda stage, on: told(stage.pools(on).get(stage.name)),
    "fill": lambda stage, on: told(stage.pools(on).fill(stage.name)),
    "list": lambda stage, on: "; ".join(f"{one.name} {told(one)}" for one in stage.pools(on).list()),
    "delete": lambda stage, on: str(stage.pools(on).delete(stage.name)),
    "instances": lambda stage, on: str(stage.pools(on).instances(stage.name)),
    "create again": create_again,
    "create and see": create_and_see,
    "create twice": create_twice,
    "renew": lambda stage, on: str(stage.pools(on).renew(stage.name, stage.lease(hours=2))),
    "renew and look": renew_and_look,
    "armed": lambda stage, on: f"{stage.pools(on).armed(stage.name)}",
    "release": release,
    "leftovers": lambda stage, on: str(list(stage.pools(on).leftovers())),
    "ready": ready,
    "make ready": make_ready,
    "gone": gone,
    "fill and delete": fill_and_delete,
    "life": life,
    "delete twice": delete_twice,
    "token": lambda stage, on: stage.cluster(on).token().subject,
    "endpoint": lambda stage, on: stage.cluster(on).access.endpoint(fresh=True).server,
    "nodes": lambda stage, on: f"{len(CoreV1Api(stage.cluster(on).client()).list_node().items)} nodes",
    "nodes async": lambda stage, on: asyncio.run(_nodes_async(stage.cluster(on))),
    "pod": lambda stage, on: (
        CoreV1Api(stage.cluster(on).client()).create_namespaced_pod("default", pod(stage.name)).metadata.name
    ),
    "pod twice": pod_twice,
    "label": labelled,
    "watched": lambda stage, on: asyncio.run(_watched(stage, on)),
    "pod gone": lambda stage, on: (
        CoreV1Api(stage.cluster(on).client()).delete_namespaced_pod("nobody", "default").metadata.name
    ),
}
"""Each act returns what it says in the end; what it raises is looked at by the test."""
WITH_POOL = {
    "get", "fill", "fill and delete", "list", "delete", "delete twice", "instances", "renew", "renew and look", "armed",
    "release", "leftovers", "ready", "gone",
}  # fmt: skip
"""Acts on a pool that is there before the fault."""
