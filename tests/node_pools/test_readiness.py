from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from multicluster.node_pools.node_facts import NodeFacts, SliceFacts
from multicluster.node_pools.pool import NodePool, NodePoolState, Problem
from multicluster.node_pools.profile import Gpu
from multicluster.node_pools.readiness import Readiness, readiness

Make = Callable[..., Any]
GPU = Gpu()
STOCKOUT = Problem(code="InsufficientInstanceCapacity", message="no g6.xlarge in us-east-1a", capacity=True)


@pytest.fixture
def judge(pool: Callable[..., NodePool]) -> Callable[..., Readiness]:
    def run(nodes: list[dict[str, Any]], *, size: int = 1, gpu: Gpu | None = GPU, **more: Any) -> Readiness:
        slices = more.pop("resource_slices", ())
        daemon_sets = more.pop("daemon_sets", None)
        facts = [NodeFacts.from_object(node) for node in nodes]
        return readiness(pool(**more), size=size, gpu=gpu, nodes=facts, resource_slices=slices, daemon_sets=daemon_sets)

    return run


def slice_of(node: str = "n1", **more: Any) -> SliceFacts:
    return SliceFacts(**{"driver": "gpu.nvidia.com", "node": node, "pool": node, "devices": 1, **more})


def test_a_ready_node_with_its_gpu_is_ready(judge: Make, node: Make) -> None:
    verdict = judge([node()])

    assert (verdict.ready, verdict.nodes, verdict.diagnosis, verdict.fatal) == (True, 1, "", False)


def test_a_pool_without_gpus_needs_none(judge: Make, node: Make) -> None:
    assert judge([node(gpus=None)], gpu=None).ready


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"gpus": "0"}, "0 of 1 nvidia.com/gpu"),
        ({"gpus": None}, "0 of 1 nvidia.com/gpu"),
        ({"gpus": "what"}, "0 of 1 nvidia.com/gpu"),
        ({"ready": "False"}, "NotReady (KubeletNotReady: cni is not initialised)"),
        ({"ready": "Unknown"}, "NotReady"),
        ({"spec": {"unschedulable": True}}, "cordoned"),
        ({"metadata": {"deletionTimestamp": "2026-11-21T12:00:00Z"}}, "being deleted"),
        ({"conditions": [{"type": "DiskPressure", "status": "True"}]}, "DiskPressure"),
        ({"conditions": [{"type": "AcceleratedHardwareReady", "status": "False"}]}, "GPUs are broken"),
    ],
)
def test_a_node_that_cannot_take_pods_is_not_ready_and_named(
    judge: Make, node: Make, changes: dict[str, Any], expected: str
) -> None:
    verdict = judge([node(**changes)])

    assert not verdict.ready
    assert not verdict.fatal
    assert verdict.reason.startswith("0 of 1 nodes usable; n1: ")
    assert expected in verdict.reason
    assert verdict.diagnosis.startswith("0 of 1 nodes usable")


@pytest.mark.parametrize(
    "key",
    [
        "node.kubernetes.io/not-ready",
        "node.kubernetes.io/unreachable",
        "node.cloudprovider.kubernetes.io/uninitialized",
        "karpenter.sh/unregistered",
        "readiness.k8s.io/gpu",
        "startup-taint.cluster-autoscaler.kubernetes.io/gpu",
        "ToBeDeletedByClusterAutoscaler",
        "ebs.csi.aws.com/agent-not-ready",
        "node.cilium.io/agent-not-ready",
    ],
)
def test_a_startup_taint_that_is_left_is_named(judge: Make, node: Make, key: str) -> None:
    verdict = judge([node(taints=[{"key": key, "effect": "NoSchedule"}])])

    assert not verdict.ready
    assert f"{key}:NoSchedule is left" in verdict.diagnosis


def test_a_soft_taint_and_the_pools_own_taint_are_none_to_wait_for(judge: Make, node: Make) -> None:
    soft = {"key": "node.kubernetes.io/unreachable", "effect": "PreferNoSchedule"}
    own = {"key": "dedicated", "value": "train", "effect": "NoExecute"}

    assert judge([node(taints=[soft, own])]).ready


def test_gpus_of_another_pool_never_count(judge: Make, node: Make) -> None:
    other = [node(f"other-{number}", pool="other", gpus="8") for number in range(3)]

    verdict = judge([*other, node(gpus="0")])

    assert (verdict.ready, verdict.nodes) == (False, 0)
    assert "other" not in verdict.diagnosis


def test_two_nodes_of_three_are_not_three(judge: Make, node: Make) -> None:
    nodes = [node("n1"), node("n2"), node("n3", gpus="0")]

    verdict = judge(nodes, size=3)

    assert (verdict.ready, verdict.nodes) == (False, 2)
    assert verdict.reason == "2 of 3 nodes usable; n3: Ready, 0 of 1 nvidia.com/gpu allocatable"


def test_more_nodes_than_asked_for_are_enough(judge: Make, node: Make) -> None:
    assert judge([node("n1"), node("n2"), node("n3", gpus="0")], size=2).ready


@pytest.mark.parametrize(
    ("resource", "per_node", "offered", "expected"),
    [
        ("nvidia.com/gpu", 8, "8", True),
        ("nvidia.com/gpu", 8, "7", False),
        ("nvidia.com/gpu.shared", 10, "10", True),
        ("nvidia.com/mig-1g.5gb", 7, "7", True),
        ("nvidia.com/mig-1g.5gb", 7, "6", False),
        ("amd.com/gpu", 1, "1", True),
    ],
)
def test_each_node_must_offer_the_profiles_count_of_the_profiles_resource(
    judge: Make, node: Make, resource: str, per_node: int, offered: str, *, expected: bool
) -> None:
    gpu = Gpu(resource=resource, per_node=per_node)

    assert judge([node(gpus=offered, resource=resource)], gpu=gpu).ready is expected


def test_another_resource_is_not_the_profiles(judge: Make, node: Make) -> None:
    verdict = judge([node(gpus="4", resource="nvidia.com/mig-1g.5gb")])

    assert not verdict.ready


@pytest.mark.parametrize(
    ("slices", "expected"),
    [
        ([slice_of()], True),
        ([slice_of(devices=0)], False),
        ([slice_of("n2")], False),
        ([slice_of(driver="compute-domain.nvidia.com")], False),
        ([slice_of(slices=2)], False),
        ([slice_of(slices=2, devices=0), slice_of(slices=2)], True),
        ([slice_of(generation=1, devices=4), slice_of(generation=2, devices=0)], False),
        ([slice_of(generation=1, devices=0), slice_of(generation=2)], True),
    ],
)
def test_dra_counts_the_devices_of_complete_pools_in_their_newest_generation(
    judge: Make, node: Make, slices: list[SliceFacts], *, expected: bool
) -> None:
    assert judge([node(gpus=None)], resource_slices=slices).ready is expected


def test_without_nodes_the_clouds_words_are_the_diagnosis(judge: Make) -> None:
    verdict = judge([], state=NodePoolState.PENDING, status="CREATING", problems=(STOCKOUT,))

    assert not verdict.fatal
    assert "0 of 1 nodes, the pool is CREATING" in verdict.diagnosis
    assert "InsufficientInstanceCapacity: no g6.xlarge in us-east-1a" in verdict.diagnosis


def test_without_nodes_and_without_words_the_diagnosis_says_so(judge: Make) -> None:
    assert "names no problem" in judge([], state=NodePoolState.PENDING, status="CREATING").diagnosis


@pytest.mark.parametrize(("times", "fatal"), [(1, False), (2, False), (3, True), (9, True)])
def test_no_capacity_several_times_in_a_row_is_hopeless(judge: Make, times: int, *, fatal: bool) -> None:
    problem = Problem(code="UnfulfillableCapacity", message="no spot", capacity=True, times=times)

    verdict = judge([], state=NodePoolState.PENDING, status="CREATING", problems=(problem,))

    assert verdict.fatal is fatal
    assert "UnfulfillableCapacity: no spot" in verdict.diagnosis


def test_a_problem_that_waiting_cannot_help_is_hopeless_at_once(judge: Make) -> None:
    quota = Problem(code="VcpuLimitExceeded", message="limit of 0", fatal=True)

    verdict = judge([], state=NodePoolState.PENDING, status="CREATING", problems=(quota,))

    assert verdict.fatal
    assert "VcpuLimitExceeded: limit of 0" in verdict.diagnosis


def test_problems_of_the_past_do_not_matter_once_the_nodes_are_there(judge: Make, node: Make) -> None:
    quota = Problem(code="VcpuLimitExceeded", message="limit of 0", fatal=True)

    verdict = judge([node()], problems=(quota, STOCKOUT))

    assert verdict.ready


@pytest.mark.parametrize("with_nodes", [True, False])
def test_a_failed_pool_is_hopeless_whatever_its_nodes_say(judge: Make, node: Make, *, with_nodes: bool) -> None:
    problem = Problem(code="NodeCreationFailure", message="instances failed to join")
    nodes = [node()] if with_nodes else []

    verdict = judge(nodes, state=NodePoolState.FAILED, status="CREATE_FAILED", problems=(problem,))

    assert (verdict.ready, verdict.fatal) == (False, True)
    assert "CREATE_FAILED" in verdict.diagnosis
    assert "instances failed to join" in verdict.diagnosis


def test_a_pool_that_goes_away_is_hopeless(judge: Make, node: Make) -> None:
    verdict = judge([node()], state=NodePoolState.DELETING, status="DELETING")

    assert (verdict.ready, verdict.fatal) == (False, True)


def test_a_pool_still_being_made_is_ready_when_its_nodes_are(judge: Make, node: Make) -> None:
    assert judge([node()], state=NodePoolState.PENDING, status="CREATING").ready


def test_a_status_that_nobody_knows_is_judged_by_the_nodes(judge: Make, node: Make) -> None:
    assert judge([node()], state=NodePoolState.PENDING, status="QUANTUM_LEAP").ready


def test_without_daemon_sets_the_diagnosis_names_the_device_plugin_as_a_suspect(judge: Make, node: Make) -> None:
    assert "device plugin" in judge([node(gpus="0")]).diagnosis


def test_with_daemon_sets_the_diagnosis_says_that_the_device_plugin_is_absent(judge: Make, node: Make) -> None:
    assert "no device-plugin DaemonSet" in judge([node(gpus="0")], daemon_sets=[]).diagnosis
