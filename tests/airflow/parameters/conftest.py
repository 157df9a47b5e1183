"""A world of its own, in which a node pool stays up for all tests of the room."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.register_assert_rewrite("pod_drive")
from pod_drive.drive import QUICK, Drive  # noqa: E402 - its assertions are to be rewritten

CLUSTER = "gpu-use1"
GKE = "gpu-euw4"
POOL = {"cluster": CLUSTER, "name": "mc-room-0", "profile": "l4"}
OBJECTS = {
    "namespaces": ({"metadata": {"name": "team"}}, {"metadata": {"name": "other"}}),
    "configmaps": ({"metadata": {"name": "settings"}, "data": {"EPOCHS": "3"}},),
    "secrets": ({"metadata": {"name": "keys"}, "stringData": {"user": "ann", "word": "c4n4ry-secret"}},),
    "serviceaccounts": ({"metadata": {"name": "trainer"}},),
    "priorityclasses": ({"metadata": {"name": "urgent"}, "value": 7},),
}


@pytest.fixture(scope="session")
def session_world(tmp_path_factory):
    """Start an EKS cluster with a node pool, one of GKE and one of no cloud, with no delays."""
    from multicluster.simulator import Delays, World
    from multicluster.testing.world import enter

    with World(delays=Delays.none()) as world:
        world.add_eks(CLUSTER)
        world.add_gke(GKE)
        world.add_plain("here")
        with pytest.MonkeyPatch.context() as patch:  # no longer, or other rooms of this process would see it
            registry = enter(world, tmp_path_factory.mktemp("registry") / "clusters.json", patch)
            _make_pool(registry, world)
        for cluster in world.entrances:
            for plural, documents in OBJECTS.items():
                for document in documents:
                    world.entrances[cluster].kubernetes.create(plural, document)
        yield world


def _make_pool(registry, world):
    from datetime import UTC, datetime, timedelta

    from multicluster.node_pools.lease import Lease
    from multicluster.node_pools.pool import NodePoolSpec

    spec = NodePoolSpec(
        name=POOL["name"], size=1, profile=registry[CLUSTER].profile(POOL["profile"]), max_lifetime_seconds=3600
    )
    lease = Lease(owner="0" * 16, expires_at=datetime.now(UTC) + timedelta(hours=1))
    registry[CLUSTER].node_pools().create(spec, lease)
    world.settle()


@pytest.fixture
def world(session_world, monkeypatch):
    """Lend the world without faults."""
    from multicluster.testing.world import enter

    session_world.faults.clear()
    enter(session_world, session_world.root / "clusters.json", monkeypatch)
    yield session_world
    session_world.faults.clear()


@pytest.fixture
def drive(world):
    """Run operators on the cluster, and leave no pod behind."""
    with Drive.swept(world, CLUSTER) as drive:
        yield drive


@pytest.fixture
def drive_gke(world):
    """Run operators on the cluster of GKE, and leave no pod behind."""
    with Drive.swept(world, GKE) as drive:
        yield drive


@pytest.fixture(params=["cluster", "node_pool"])
def place(request):
    """Where a pod goes: to a cluster, and to a node pool."""
    return {"cluster": CLUSTER} if request.param == "cluster" else {"node_pool": POOL}


@pytest.fixture(params=[False, True], ids=["sync", "deferrable"])
def deferrable(request):
    """How a task waits."""
    return request.param


@pytest.fixture
def fit(deferrable):
    """Make the operator that a test is about: quick, in both modes."""
    from airflow_multicluster import ClusterPodOperator

    def fit(command="echo trained", **given):
        shell = {} if command is None else {"image": "busybox:1.37", "cmds": ["sh", "-c", command]}
        options = {"task_id": "fit", "deferrable": deferrable, **shell, **QUICK, **given}
        if not {"cluster", "node_pool"} & set(given):
            options["cluster"] = CLUSTER
        return ClusterPodOperator(**options)

    return fit


@pytest.fixture(scope="session", autouse=True)
def dags_of_the_room(dag_folder):
    """Put this room's DAG files beside the others."""
    for file in (Path(__file__).parent / "dags").glob("*.py"):
        link = dag_folder / file.name
        if not link.exists():
            link.symlink_to(file)
