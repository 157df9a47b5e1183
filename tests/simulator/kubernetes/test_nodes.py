"""Nodes that come, change and vanish."""

from __future__ import annotations

import pytest
from kubernetes import watch

from multicluster.simulator.clock import ManualClock
from multicluster.simulator.kubernetes import GpuSeconds, NodeShape
from multicluster.simulator.kubernetes.controllers.taints import tolerated_seconds

from .conftest import Api

GPU = {"resources": {"limits": {"nvidia.com/gpu": "1"}}}


def condition(node, kind="Ready"):
    return next(c["status"] for c in node["status"]["conditions"] if c["type"] == kind)


def test_a_node_joins_not_ready_and_becomes_ready(cluster):
    cluster.add_node("n2", NodeShape(labels={"pool": "l4"}, capacity={"cpu": "2"}))
    joined = cluster.objects("nodes")[1]

    cluster.set_node("n2", ready=True)

    ready = cluster.objects("nodes")[1]
    assert (condition(joined), condition(ready)) == ("False", "True")
    assert {t["key"] for t in joined["spec"]["taints"]} == {"node.kubernetes.io/not-ready"}
    assert ready["spec"]["taints"] == []
    assert ready["metadata"]["labels"].items() >= {"pool": "l4", "kubernetes.io/hostname": "n2"}.items()


def test_a_device_plugin_advertises_and_a_start_up_taint_goes(cluster):
    taints = [{"key": "starting", "effect": "NoSchedule"}, {"key": "kept", "effect": "NoSchedule"}]
    cluster.add_node("n2", NodeShape(taints=taints, capacity={"cpu": "2"}, ready=True))

    cluster.set_node("n2", allocatable={"nvidia.com/gpu": "1"}, remove_taints=["starting"])

    node = cluster.objects("nodes")[1]
    assert node["status"]["allocatable"] == {"cpu": "2", "pods": "110", "nvidia.com/gpu": "1"}
    assert node["spec"]["taints"] == [{"key": "kept", "effect": "NoSchedule"}]


def test_the_pods_of_a_vanished_node_are_lost_after_a_moment(cluster, run_pod, new_pod, core):
    run_pod(new_pod("p", "sleep", "60"), "Running")
    version = core.list_namespaced_pod("default").metadata.resource_version

    cluster.remove_node("n1")

    assert cluster.objects("nodes") == []
    stream = watch.Watch().stream(core.list_namespaced_pod, "default", resource_version=version, timeout_seconds=10)
    failed, deleted = next(stream), next(stream)
    reasons = {c.type: c.reason for c in failed["object"].status.conditions}
    assert (failed["object"].status.phase, reasons["DisruptionTarget"]) == ("Failed", "DeletionByPodGC")
    assert deleted["type"] == "DELETED"
    assert cluster.processes == 0


def test_the_log_of_a_pod_on_a_vanished_node_cannot_be_had(new_cluster, new_pod, tmp_path):
    cluster = new_cluster(clock=ManualClock(), delays=_still())
    cluster.add_node("n1", NodeShape(capacity={"cpu": "4"}, ready=True))
    cluster.create("pods", new_pod("p", "sleep", "60"))
    cluster.wait_until("pods", lambda pods: pods[0]["status"]["phase"] == "Running")
    (tmp_path / "ca.pem").write_bytes(cluster.ca_pem)
    api = Api(cluster.url, str(tmp_path / "ca.pem"))

    cluster.remove_node("n1")

    assert api("GET", "/api/v1/namespaces/default/pods/p")[1]["status"]["phase"] == "Running"
    code, status = api("GET", "/api/v1/namespaces/default/pods/p/log")
    assert (code, status["message"]) == (404, 'nodes "n1" not found')


def test_a_lost_pod_is_collected_though_a_node_of_the_same_name_comes_back(cluster, run_pod, new_pod):
    run_pod(new_pod("p", "sleep", "60"), "Running")

    cluster.remove_node("n1")
    cluster.add_node("n1", NodeShape(capacity={"cpu": "4"}, ready=True))

    assert cluster.wait_until("pods", lambda pods: not pods) == []
    assert cluster.processes == 0


def test_a_pod_bound_to_no_node_there_is_can_be_deleted(cluster, new_pod, core):
    cluster.create("pods", new_pod("p", nodeName="nope"))

    core.delete_namespaced_pod("p", "default")

    assert cluster.objects("pods") == []


def test_a_node_that_is_not_there_is_removed_without_a_word(cluster):
    cluster.remove_node("nope")

    assert [node["metadata"]["name"] for node in cluster.objects("nodes")] == ["n1"]


def test_a_drained_node_lets_its_pods_end(cluster, run_pod, new_pod):
    run_pod(new_pod("p", "sleep", "60"), "Running")

    cluster.drain_node("n1")

    cluster.wait_until("pods", lambda pods: not pods)
    assert cluster.objects("nodes")[0]["spec"]["unschedulable"] is True


@pytest.mark.parametrize(
    ("tolerations", "seconds"),
    [
        ([], 0.0),
        ([{"operator": "Exists"}], None),
        ([{"key": "bad", "operator": "Exists", "tolerationSeconds": 60}], 60.0),
        ([{"key": "bad", "effect": "NoSchedule", "operator": "Exists"}], 0.0),
    ],
)
def test_how_long_a_pod_may_stay_on_a_tainted_node(tolerations, seconds):
    node = {"spec": {"taints": [{"key": "bad", "effect": "NoExecute"}, {"key": "other", "effect": "NoSchedule"}]}}

    assert tolerated_seconds({"spec": {"tolerations": tolerations}}, node) == seconds


def test_pods_leave_a_node_that_stays_not_ready_for_five_minutes(new_cluster, new_pod):
    clock = ManualClock()
    cluster = new_cluster(clock=clock, delays=_still())
    cluster.add_node("n1", NodeShape(capacity={"cpu": "4"}, ready=True))
    cluster.create("pods", new_pod("p", "sleep", "60"))
    cluster.wait_until("pods", lambda pods: pods[0]["status"]["phase"] == "Running")

    cluster.set_node("n1", ready=False)
    clock.advance(200)
    cluster.set_node("n1", ready=True)
    cluster.set_node("n1", ready=False)
    clock.advance(299)
    assert "deletionTimestamp" not in cluster.objects("pods")[0]["metadata"]
    clock.advance(1)
    cluster.wait_until("pods", lambda pods: "deletionTimestamp" in pods[0]["metadata"])
    clock.advance(30)

    cluster.wait_until("pods", lambda pods: not pods)


def test_gpu_seconds_are_counted_by_node_and_kept_after_its_end(new_cluster, new_pod):
    clock = ManualClock()
    cluster = new_cluster(clock=clock, delays=_still())
    cluster.add_node("gpu", NodeShape(capacity={"cpu": "4"}, ready=True))
    clock.advance(10)
    cluster.set_node("gpu", allocatable={"nvidia.com/gpu": "2"})
    clock.advance(10)
    cluster.create("pods", new_pod("p", "sleep", "60", container=GPU))
    cluster.wait_until("pods", lambda pods: pods[0]["status"]["phase"] == "Running")
    clock.advance(30)
    assert cluster.gpu_seconds == {"gpu": GpuSeconds(80.0, 30.0)}

    cluster.remove_node("gpu")
    clock.advance(100)

    assert cluster.gpu_seconds == {"gpu": GpuSeconds(80.0, 30.0)}


def _still():
    from multicluster.simulator.kubernetes import PodDelays

    return PodDelays(image_pull=0, start=0)


@pytest.mark.parametrize("resource", ["pods", "nodes", "events", "configmaps"])
def test_objects_handed_out_are_copies(cluster, resource, new_pod):
    cluster.create("pods", new_pod("p"))
    for found in cluster.objects(resource):
        found["metadata"]["name"] = "spoiled"

    assert all(found["metadata"]["name"] != "spoiled" for found in cluster.objects(resource))
