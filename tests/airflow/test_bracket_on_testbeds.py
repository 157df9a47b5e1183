"""The bracket on real Kubernetes: real kubelets come and go with the pools, and the pods are real."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

import pytest

from multicluster.cli.demo.grounds import cannot_run, launcher
from multicluster.grounds.testbeds import Testbeds
from multicluster.simulator import Delays, World
from multicluster.simulator.clock import SystemClock

pytestmark = [pytest.mark.testbed, pytest.mark.slow, pytest.mark.timeout(300)]
CLOUDS = pytest.mark.parametrize("cluster", ["gpu-use1", "gpu-euw4"])
BRACKET = ("create_node_pool", "node_pool_ready", "fit", "delete_node_pool", "node_pool_gone")
UNINITIALIZED = "node.cloudprovider.kubernetes.io/uninitialized"


@pytest.fixture(scope="module")
def session_world(tmp_path_factory) -> Iterator[World]:
    """Stand in for the simulated world of the other tests: the same clouds, their clusters on testbeds."""
    reason = cannot_run(launcher(), platform=sys.platform, root=os.geteuid() == 0)
    if reason:
        pytest.skip(reason)
    ground = Testbeds(command=launcher(), folder=tmp_path_factory.mktemp("worlds"), clock=SystemClock())
    quick = Delays(create=0, node_join=0, node_ready=0, gpu_ready=0.2, drain=0, delete=0, operation=0, scale_idle=600)
    with World(delays=quick, ground=ground) as world:
        with ThreadPoolExecutor() as pool:
            starts = [
                pool.submit(world.add_eks, "gpu-use1", system_nodes=0),
                pool.submit(world.add_gke, "gpu-euw4", system_nodes=0),
            ]
        for start in starts:
            start.result()  # a testbed that did not come up is said here, not by the tests that miss it
        yield world


@pytest.fixture
def nothing_left(world):
    """Say after a test what is left of its pools: in the clouds, at the API servers, on the machine."""

    def left() -> tuple[Any, ...]:
        report = world.report()
        kubelets = [name for entrance in world.entrances.values() for name in entrance.kubernetes.kubelets()]
        return (*report.pools_left, *report.instances_left, *report.nodes_left, *kubelets)

    return left


class Observer:
    """Keeps every state of every node of a cluster, as its watchers see them."""

    def __init__(self, cluster) -> None:
        self.nodes: list[dict[str, Any]] = []
        self._cluster = cluster

    def __enter__(self) -> Self:
        self._cluster._mirror.subscribe(self._note)
        return self

    def _note(self, change) -> None:
        if change.resource.plural == "nodes" and change.type != "DELETED":
            self.nodes.append(change.document)

    def __exit__(self, *_: object) -> None:
        self._cluster._mirror._listeners.remove(self._note)


def states(outcome) -> dict[str, str]:
    return {task.partition(".")[2]: state for task, state in outcome.tasks.items()}


@pytest.mark.parametrize("dag_id", ["work", "sync"])
@CLOUDS
def test_work_succeeds_in_a_real_pod_and_nothing_is_left(run, world, nothing_left, dag_id, cluster):
    before = set(world.entrances[cluster].kubernetes.containers)

    outcome = run(dag_id, cluster=cluster)

    ran = set(world.entrances[cluster].kubernetes.containers) - before
    assert (outcome.state, states(outcome)) == ("success", dict.fromkeys(BRACKET, "success"))
    assert [container.partition("://")[0] for container in ran] == ["containerd"]
    assert nothing_left() == ()


@pytest.mark.parametrize("dag_id", ["work", "sync"])
def test_work_fails_and_the_run_is_red_and_nothing_is_left(run, nothing_left, dag_id):
    outcome = run(dag_id, command="exit 3")

    assert (outcome.state, states(outcome)) == ("failed", {**dict.fromkeys(BRACKET, "success"), "fit": "failed"})
    assert nothing_left() == ()


def test_a_result_travels_out_of_a_real_pod(run, nothing_left):
    outcome = run("xcom_from_pod")

    assert outcome.state == "success"
    assert outcome.results["report"] == "accuracy 93%"
    assert nothing_left() == ()


def test_two_nodes_join_at_a_time(run, world, nothing_left):
    with Observer(world.entrances["gpu-use1"].kubernetes) as observer:
        outcome = run("remote_eks_gpu")

    assert outcome.state == "success"
    assert len({node["metadata"]["name"] for node in observer.nodes}) == 2
    assert nothing_left() == ()


def test_a_pool_that_cannot_be_deleted_at_first_is_deleted_in_the_end(run, world, nothing_left):
    world.inject("delete-fails", times=1)

    outcome = run("work")

    assert outcome.state == "success"
    assert nothing_left() == ()


@pytest.mark.parametrize(
    ("cluster", "label", "provider"),
    [
        ("gpu-use1", "eks.amazonaws.com/nodegroup", "aws:///us-east-1"),
        ("gpu-euw4", "cloud.google.com/gke-nodepool", "gce://acme/europe-west4-"),
    ],
)
def test_a_node_has_labels_and_taints_from_its_first_moment_and_gpus_last(run, world, cluster, label, provider):
    with Observer(world.entrances[cluster].kubernetes) as observer:
        assert run("work", cluster=cluster).state == "success"

    first, ready = observer.nodes[0], [node for node in observer.nodes if is_ready(node)]
    with_gpus = [node for node in observer.nodes if node["status"]["allocatable"].get("nvidia.com/gpu") == "1"]
    assert label in first["metadata"]["labels"]
    assert first["spec"]["providerID"].startswith(provider)
    assert {UNINITIALIZED, "nvidia.com/gpu"} <= {taint["key"] for taint in first["spec"]["taints"]}
    assert not is_ready(first)
    assert "nvidia.com/gpu" not in ready[0]["status"]["allocatable"]
    assert with_gpus
    assert UNINITIALIZED not in {taint["key"] for taint in with_gpus[0]["spec"]["taints"]}


def is_ready(node) -> bool:
    return any(one["type"] == "Ready" and one["status"] == "True" for one in node["status"].get("conditions", []))
