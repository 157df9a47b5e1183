"""A bracket runs on both clouds with the shipped rights and no others: RBAC inside the clusters, IAM outside."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from multicluster.simulator import Delays, World
from multicluster.simulator.aws.clusters import AccessEntry
from multicluster.testing.world import enter
from tests.airflow.conftest import (  # noqa: F401 - the first two are fixtures
    dag_folder,
    database,
    find_dag,
    read_outcome,
)
from tests.infra.iam.documents import permissions, policy

from .manifests import GROUP, NAMESPACE, manifests


def apply(kubernetes: Any, subject: dict[str, str]) -> None:
    """Make the shipped objects in a cluster, bound to one subject."""
    for document in manifests():
        bound = {**document, "subjects": [subject]} if "subjects" in document else document
        kubernetes.create(document["kind"].lower() + "s", bound, NAMESPACE)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """Start an EKS and a GKE cluster in which nobody is an administrator."""
    with World(delays=Delays.none()) as made:
        eks, gke = made.add_eks("gpu-use1", rbac=True), made.add_gke("gpu-euw4", rbac=True)
        eks.everyone_is_admin = gke.everyone_is_admin = False
        user = made.aws.key.principal.source
        eks.access[user] = AccessEntry(username="airflow", groups=(GROUP,))
        api = {"apiGroup": "rbac.authorization.k8s.io"}
        apply(eks.kubernetes, {**api, "kind": "Group", "name": GROUP})
        apply(gke.kubernetes, {**api, "kind": "User", "name": made.google.account.email})
        made.aws.policies.attach(user, policy("node-pools", CLUSTER="gpu-use1"))
        made.google.grants.grant(made.google.account.email, permissions("node-pools"))
        made.google.grants.grant(made.google.account.email, permissions("act-as-nodes"), on="default")
        yield made


@pytest.fixture
def registry(world: World, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Lead Airflow to the world, with pods in the namespace of the manifests."""
    path = world.root / "clusters.json"
    enter(world, path, monkeypatch)
    path.write_text(json.dumps({**json.loads(path.read_text()), "defaults": {"pods": {"namespace": NAMESPACE}}}))
    return path


def left(world: World) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the pools and machines that are left."""
    report = world.report()
    return report.pools_left, report.instances_left


@pytest.mark.parametrize("dag_id", ["work", "sync"])
@pytest.mark.parametrize("cluster", ["gpu-use1", "gpu-euw4"])
@pytest.mark.usefixtures("database", "registry")
def test_a_bracket_succeeds_and_leaves_nothing(world, dag_id, cluster):
    outcome = read_outcome(find_dag(dag_id).test(run_conf={"cluster": cluster}))

    assert (outcome.state, outcome.reasons) == ("success", {})
    assert left(world) == ((), ())


@pytest.mark.usefixtures("database", "registry")
def test_without_the_right_to_see_nodes_a_bracket_ends_red_and_names_it(world):
    kubernetes, name = world.entrances["gpu-use1"].kubernetes, f"{GROUP}-node-read"
    (binding,) = [one for one in kubernetes.objects("clusterrolebindings") if one["metadata"]["name"] == name]
    kubernetes.delete("clusterrolebindings", name)

    outcome = read_outcome(find_dag("sync").test(run_conf={"cluster": "gpu-use1"}))

    kubernetes.create("clusterrolebindings", {**binding, "metadata": {"name": name}})
    assert outcome.state == "failed"
    assert 'cannot list resource "nodes"' in outcome.reasons["train.node_pool_ready"]
    assert left(world) == ((), ())
