"""A bracket runs on both clouds with the shipped rights and no others: RBAC inside the clusters, IAM outside."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes import config

from multicluster.grounds.testbeds import Testbeds
from multicluster.simulator import Delays, World
from multicluster.simulator.aws.clusters import AccessEntry
from multicluster.simulator.clock import SystemClock
from multicluster.testing.world import enter
from tests.airflow.conftest import (  # noqa: F401 - the first two are fixtures
    dag_folder,
    database,
    find_dag,
    read_outcome,
)
from tests.infra.iam.documents import permissions, policy

from .manifests import GROUP, NAMESPACE, Document, manifests, path_of
from .work import IMAGE

LAUNCHER = Path(__file__).resolve().parents[3] / "infra" / "testbed" / "run"
API = {"apiGroup": "rbac.authorization.k8s.io"}
GROUNDS = ["simulator", pytest.param("testbed", marks=pytest.mark.testbed)]


@pytest.fixture(scope="module", params=GROUNDS)
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Start an EKS and a GKE cluster in which nobody is an administrator, simulated or on real Kubernetes."""
    ground = None
    if request.param == "testbed":
        request.getfixturevalue("built")
        ground = Testbeds(command=LAUNCHER, folder=tmp_path_factory.mktemp("worlds"), clock=SystemClock())
    with World(delays=Delays.none(), ground=ground) as made:
        eks, gke = made.add_eks("gpu-use1", rbac=True), made.add_gke("gpu-euw4", rbac=True)
        eks.everyone_is_admin = gke.everyone_is_admin = False
        user, account = made.aws.key.principal.source, made.google.account.email
        eks.access[user] = AccessEntry(username="airflow", groups=(GROUP,))
        apply(made, "gpu-use1", {**API, "kind": "Group", "name": GROUP})
        apply(made, "gpu-euw4", {**API, "kind": "User", "name": account})
        arming = policy("dead-man-arm", **{"schedule/multicluster/": "schedule/default/"})  # the world's schedule group
        made.aws.policies.attach(user, policy("node-pools", CLUSTER="gpu-use1"), arming)
        made.google.grants.grant(account, permissions("node-pools"))
        made.google.grants.grant(account, permissions("act-as-nodes"), on="default")
        yield made


def apply(world: World, name: str, subject: dict[str, str]) -> None:
    """Make the shipped objects in a cluster, bound to one subject, as its administrator."""
    for document in manifests():
        ask(world, name, "POST", path_of(document, name=False), bound(document, subject))


def bound(document: Document, subject: dict[str, str]) -> Document:
    """Return an object whose subjects, if it has any, are this one."""
    return {**document, "subjects": [subject]} if "subjects" in document else document


def ask(world: World, name: str, method: str, path: str, body: Document | None = None) -> None:
    """Send a request as the administrator of a cluster."""
    with config.new_client_from_config_dict(world.kubeconfig(), context=name) as admin:
        admin.call_api(path, method, body=body, auth_settings=["BearerToken"], _preload_content=False)


@pytest.fixture
def registry(world: World, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Lead Airflow to the world, with pods in the namespace of the manifests."""
    path = world.root / "clusters.json"
    enter(world, path, monkeypatch)
    path.write_text(json.dumps({**json.loads(path.read_text()), "defaults": {"pods": {"namespace": NAMESPACE}}}))
    return path


def run(dag_id: str, cluster: str):
    """Run a DAG of the Airflow tests, with an image that all grounds have."""
    dag = find_dag(dag_id)
    dag.get_task("train.fit").image = IMAGE
    return read_outcome(dag.test(run_conf={"cluster": cluster}))


def left(world: World) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the pools and machines that are left."""
    report = world.report()
    return report.pools_left, report.instances_left


@pytest.mark.parametrize("dag_id", ["work", "sync"])
@pytest.mark.parametrize("cluster", ["gpu-use1", "gpu-euw4"])
@pytest.mark.usefixtures("database", "registry")
def test_a_bracket_succeeds_and_leaves_nothing(world, dag_id, cluster):
    outcome = run(dag_id, cluster)

    assert (outcome.state, outcome.reasons) == ("success", {})
    assert left(world) == ((), ())


@pytest.mark.usefixtures("database", "registry")
def test_without_the_right_to_see_nodes_a_bracket_ends_red_and_names_it(world):
    (binding,) = [one for one in manifests() if one["kind"] == "ClusterRoleBinding" and "node-read" in str(one)]
    subject = {**API, "kind": "Group", "name": GROUP}
    ask(world, "gpu-use1", "DELETE", path_of(binding))

    outcome = run("sync", "gpu-use1")

    ask(world, "gpu-use1", "POST", path_of(binding, name=False), bound(binding, subject))
    assert outcome.state == "failed"
    assert 'cannot list resource "nodes"' in outcome.reasons["train.node_pool_ready"]
    assert left(world) == ((), ())
