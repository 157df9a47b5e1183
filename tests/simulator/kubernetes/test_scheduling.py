"""Where pods go, and what is said where they cannot."""

from __future__ import annotations

import threading

import pytest

from multicluster.simulator.kubernetes import NodeShape
from multicluster.simulator.kubernetes.scheduler.fitting import placement

GPU_TAINT = {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}
TOLERATION = {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
GPU = {"resources": {"limits": {"nvidia.com/gpu": "1"}}}
NO_HELP = (
    "no new claims to deallocate, preemption: 0/{0} nodes are available: {0} Preemption is not helpful for scheduling."
)


def node(name="n", labels=None, taints=(), *, unschedulable=False, **allocatable):
    offered = {"cpu": "4", "memory": "8Gi", **{key.replace("_", "/"): value for key, value in allocatable.items()}}
    return {
        "metadata": {"name": name, "labels": labels or {}},
        "spec": {"taints": list(taints), "unschedulable": unschedulable},
        "status": {"allocatable": offered},
    }


def test_no_nodes(new_pod):
    assert placement(new_pod("p"), [], {}).reason == "no nodes available to schedule pods"


def test_the_reasons_are_counted_and_sorted_as_a_scheduler_does(new_pod):
    nodes = [node("a", taints=[GPU_TAINT]), node("b", taints=[GPU_TAINT]), node("c", unschedulable=True)]

    assert placement(new_pod("p"), nodes, {}).reason == (
        "0/3 nodes are available: 1 node(s) were unschedulable, 2 node(s) had untolerated taint(s). "
        + NO_HELP.format(3)
    )


def test_what_is_short_is_named(new_pod):
    reason = placement(new_pod("p", container=GPU), [node()], {}).reason

    assert reason == (
        "0/1 nodes are available: 1 Insufficient nvidia.com/gpu. no new claims to deallocate, preemption: "
        "0/1 nodes are available: 1 Preemption is not helpful for scheduling."
    )


def test_the_least_used_node_is_taken(new_pod):
    taken = {"a": {"pods": 3}, "b": {"pods": 1}}

    assert placement(new_pod("p"), [node("a"), node("b")], taken).node == "b"


@pytest.mark.parametrize(
    ("expression", "fits"),
    [
        ({"key": "zone", "operator": "In", "values": ["a", "b"]}, True),
        ({"key": "zone", "operator": "NotIn", "values": ["a"]}, False),
        ({"key": "zone", "operator": "Exists"}, True),
        ({"key": "zone", "operator": "DoesNotExist"}, False),
        ({"key": "size", "operator": "Gt", "values": ["4"]}, True),
        ({"key": "size", "operator": "Lt", "values": ["4"]}, False),
    ],
)
def test_required_node_affinity(new_pod, expression, fits):
    terms = {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}

    verdict = placement(new_pod("p", affinity=affinity), [node(labels={"zone": "a", "size": "8"})], {})

    assert bool(verdict.node) is fits
    assert fits or "didn't match Pod's node affinity/selector" in verdict.reason


def test_init_containers_count_one_at_a_time_and_sidecars_all_along(new_pod):
    asks = lambda amount: {"resources": {"requests": {"cpu": amount}}}  # noqa: E731
    inits = [
        {"name": "a", "image": "i", **asks("3")},
        {"name": "s", "image": "i", "restartPolicy": "Always", **asks("2")},
        {"name": "b", "image": "i", **asks("1")},
    ]

    assert placement(new_pod("p", initContainers=inits, container=asks("2")), [node(cpu="4")], {}).node == "n"
    assert "Insufficient cpu" in placement(new_pod("p", initContainers=inits, container=asks("3")), [node()], {}).reason


def test_a_pod_waits_for_a_gpu_and_gets_it_when_it_is_advertised(cluster, new_pod):
    cluster.add_node("gpu", NodeShape(labels={"pool": "l4"}, taints=[GPU_TAINT], capacity={"cpu": "4"}, ready=True))
    cluster.create("pods", new_pod("p", "sleep", "60", container=GPU, tolerations=[TOLERATION]))
    cluster.wait_until("events", lambda events: any("Insufficient nvidia.com/gpu" in e["message"] for e in events))

    cluster.set_node("gpu", allocatable={"nvidia.com/gpu": "1"})

    pods = cluster.wait_until("pods", lambda pods: pods[0]["status"]["phase"] == "Running")
    assert pods[0]["spec"]["nodeName"] == "gpu"


def test_gpus_are_never_promised_twice(cluster, new_pod):
    cluster.set_node("n1", allocatable={"nvidia.com/gpu": "2"})
    most, lock = [0], threading.Lock()

    def look(pods):
        held = sum(p["status"]["phase"] == "Running" for p in pods)
        with lock:
            most[0] = max(most[0], held)
        return all(p["status"]["phase"] == "Succeeded" for p in pods)

    for number in range(6):
        cluster.create("pods", new_pod(f"p{number}", "sleep", "0.05", container=GPU))
    cluster.wait_until("pods", look)

    assert most[0] == 2


def test_a_node_that_is_not_ready_takes_no_pod(cluster, new_pod):
    cluster.set_node("n1", ready=False)
    cluster.create("pods", new_pod("p"))
    cluster.wait_until("events", lambda events: any("untolerated taint(s)" in e["message"] for e in events))

    cluster.set_node("n1", ready=True)

    cluster.wait_until("pods", lambda pods: pods[0]["status"]["phase"] == "Succeeded")


@pytest.mark.parametrize("allocatable", [{"cpu": "much"}, {"cpu": None}, {"pods": {}}])
def test_an_unreadable_node_stops_no_pod_from_another(cluster, new_pod, core, allocatable):
    cluster.add_node("bad", NodeShape(capacity={"cpu": "1"}, ready=True))
    core.patch_node_status("bad", {"status": {"allocatable": allocatable}})

    for number in range(3):
        cluster.create("pods", new_pod(f"p{number}"))

    cluster.wait_until("pods", lambda pods: all(p["status"]["phase"] == "Succeeded" for p in pods))


def test_a_pod_that_cannot_be_judged_is_reported_and_stops_no_other(cluster, new_pod):
    terms = {"nodeSelectorTerms": [{"matchExpressions": [{"key": "a", "operator": "Near"}]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
    cluster.create("pods", new_pod("bad", affinity=affinity))
    cluster.create("pods", new_pod("good"))

    cluster.wait_until("pods", lambda pods: any(p["status"]["phase"] == "Succeeded" for p in pods))
    assert any("unknown operator 'Near'" in event["message"] for event in cluster.objects("events"))


def test_a_pod_may_be_bound_by_another_scheduler(cluster, new_pod, api):
    cluster.create("pods", new_pod("p", schedulerName="other"))
    target = {"target": {"kind": "Node", "name": "n1"}, "metadata": {"name": "p"}}

    code, _ = api("POST", "/api/v1/namespaces/default/pods/p/binding", target)

    assert code == 201
    cluster.wait_until("pods", lambda pods: pods[0]["status"]["phase"] == "Succeeded")
    assert api("POST", "/api/v1/namespaces/default/pods/p/binding", target)[0] == 409
