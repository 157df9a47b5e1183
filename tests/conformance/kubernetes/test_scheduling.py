"""Which node a pod goes to, and what is said when there is none."""

from __future__ import annotations

import re

import pytest

from .pods import OWN, condition_of, pod, seen, status_of, unique

ANYWHERE = [{"operator": "Exists"}]
GPU = "nvidia.com/gpu"
HOST = "kubernetes.io/hostname"
CORDONED = "node.kubernetes.io/unschedulable"
LEAVING = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
"""What a node carries that a case before has just taken away."""
ANY_CASE = (GPU, OWN["key"], CORDONED, *LEAVING)


def refused(found):
    return condition_of(found, "PodScheduled").get("reason") == "Unschedulable"


def counted(message):
    """The reasons of the scheduler, for the pod and for preemption, without how many nodes there are just now."""
    halves = message.split(". no new claims to deallocate, preemption: ")
    return [sorted(re.sub(r"\d+(/\d+)?", "N", half.rpartition(": ")[2].strip(".")).split(", ")) for half in halves]


@pytest.fixture
def message(pods, record):
    """Create a pod that no node takes; return what the scheduler says. It tolerates what other cases' nodes carry."""

    def create(document, *taints):
        others = [{"key": key, "operator": "Exists"} for key in taints or ANY_CASE]
        document["spec"]["tolerations"] = [*document["spec"].get("tolerations", []), *others]
        pods.create(document)
        found = pods.until(refused)
        said = condition_of(found, "PodScheduled")["message"]
        record("message", counted(said))
        return said

    return create


def test_a_selector_no_node_has_is_said(pods, message, record):
    said = message(pod(nodeSelector={"there": unique("no")}, tolerations=ANYWHERE))

    total = int(re.match(r"0/(\d+) nodes are available: ", said)[1])
    assert said == (
        f"0/{total} nodes are available: {total} node(s) didn't match Pod's node affinity/selector. "
        f"no new claims to deallocate, preemption: 0/{total} nodes are available: "
        f"{total} Preemption is not helpful for scheduling."
    )
    record("status", seen(pods.get())["phase"])
    assert pods.said("FailedScheduling")["message"] == said


@pytest.mark.parametrize(
    "resources",
    [{"cpu": "1000"}, {"memory": "100Ti"}, {GPU: "64"}, {"example.com/none": "1"}],
    ids=["cpu", "memory", "gpu", "unknown"],
)
def test_more_than_any_node_has_is_said(message, resources):
    said = message(pod(resources={"limits": resources}, tolerations=ANYWHERE))

    assert f"Insufficient {next(iter(resources))}" in said


def test_a_taint_that_is_not_tolerated_is_said(ground, message):
    label = unique("tainted")
    with ground.node(labels={"is": label}, taints=[{"key": "gpu", "value": "yes", "effect": "NoSchedule"}]):
        said = message(pod(nodeSelector={"is": label}))

        assert "node(s) had untolerated taint(s)" in said


@pytest.mark.parametrize(
    "toleration",
    [
        {"key": GPU, "operator": "Exists", "effect": "NoSchedule"},
        {"key": GPU, "value": "present"},
        {"operator": "Exists"},
    ],
    ids=["by key", "by value", "anything"],
)
def test_a_pod_that_tolerates_a_taint_goes_to_its_node(pods, gpu_node, toleration):
    ran = pods.run(pod("true", nodeSelector={HOST: gpu_node}, tolerations=[toleration]))

    assert ran["spec"]["nodeName"] == gpu_node


@pytest.mark.parametrize(
    "toleration",
    [{"key": GPU, "value": "other"}, {"key": GPU, "operator": "Exists", "effect": "NoExecute"}],
    ids=["other value", "other effect"],
)
def test_a_pod_that_tolerates_something_else_does_not(pods, gpu_node, toleration):
    pods.create(pod(nodeSelector={HOST: gpu_node}, tolerations=[toleration]))

    assert pods.until(refused)


@pytest.mark.parametrize(
    "more",
    [[], [{"key": "pool", "operator": "Exists"}], [{"key": "pool", "operator": "NotIn", "values": ["other"]}]],
    ids=["in", "exists", "not in"],
)
def test_a_pod_goes_where_its_affinity_asks(pods, gpu_node, more):
    expressions = [{"key": HOST, "operator": "In", "values": [gpu_node, "other"]}, *more]

    ran = pods.run(pod("true", affinity=_affinity(expressions), tolerations=ANYWHERE))

    assert ran["spec"]["nodeName"] == gpu_node


def test_a_pod_may_ask_for_a_node_by_its_name(pods, gpu_node):
    terms = [{"matchFields": [{"key": "metadata.name", "operator": "In", "values": [gpu_node]}]}]

    ran = pods.run(pod("true", affinity=_required(terms), tolerations=ANYWHERE))

    assert ran["spec"]["nodeName"] == gpu_node


def test_an_affinity_no_node_meets_is_said(message):
    said = message(pod(affinity=_affinity([{"key": "pool", "operator": "In", "values": ["none"]}])))

    assert "didn't match Pod's node affinity/selector" in said


def test_two_pods_wait_for_one_gpu_in_turn(pods, ground, message):
    label = unique("one")
    one = {"resources": {"limits": {GPU: "1"}}, "nodeSelector": {"is": label}}
    with ground.node(gpus=1, labels={"is": label}, taints=[OWN]):
        pods.start(pod(name="first", **one))
        said = message(pod("true", **one))

        pods.delete("first", grace=0)
        ran = pods.until(lambda found: found["status"]["phase"] == "Succeeded")

        assert f"1 Insufficient {GPU}" in said
        assert condition_of(ran, "PodScheduled")["status"] == "True"


def test_a_gpu_is_free_again_when_its_pod_has_ended(pods, gpu_node):
    both = {"resources": {"limits": {GPU: "2"}}, "tolerations": ANYWHERE, "nodeSelector": {HOST: gpu_node}}

    assert pods.run(pod("true", name="first", **both))["spec"]["nodeName"] == gpu_node
    assert pods.run(pod("true", name="second", **both))["spec"]["nodeName"] == gpu_node


@pytest.mark.parametrize(
    "resources",
    [
        {"requests": {GPU: "1"}},
        {"requests": {GPU: "1"}, "limits": {GPU: "2"}},
        {"limits": {GPU: "0.5"}},
        {"limits": {"cpu": "1"}, "requests": {"cpu": "2"}},
        {"limits": {"cpu": "-1"}},
        {"limits": {"GPU": "1"}},
    ],
    ids=["no limit", "other limit", "half", "more than the limit", "negative", "no such name"],
)
def test_resources_that_make_no_sense_are_refused(pods, record, resources):
    status, _, answer = pods.ground.raw("POST", pods.path, pod(resources=resources))

    assert status == 422
    record("answer", answer)


def test_a_quantity_that_is_none_is_refused(pods, record):
    status, _, answer = pods.ground.raw("POST", pods.path, pod(resources={"limits": {"cpu": "much"}}))

    assert status == 400
    record("answer", answer)


def test_a_cordoned_node_takes_no_pods(pods, ground, message):
    label = unique("cordoned")
    with ground.node(labels={"is": label}, taints=[OWN]) as node:
        _cordon(pods, node)

        said = message(pod(nodeSelector={"is": label}), GPU, OWN["key"])

        assert "node(s) were unschedulable" in said


def test_a_pod_that_names_its_node_needs_no_scheduler(pods, ground):
    with ground.node(taints=[OWN]) as node:
        _cordon(pods, node)

        ran = pods.run(pod("true", nodeName=node))

        assert condition_of(ran, "PodScheduled")["status"] == "True"
        assert "Scheduled" not in {event["reason"] for event in pods.events()}


def test_a_pod_of_another_scheduler_waits_for_it(pods, eventually):
    pods.create(pod(schedulerName="somebody"))
    pods.run(pod("true", name="after"))

    assert "nodeName" not in pods.get()["spec"]
    assert condition_of(pods.get(), "PodScheduled") == {}


def test_a_taint_that_evicts_ends_the_pods_that_do_not_tolerate_it(pods, ground, record):
    label = unique("evicting")
    selected = {"nodeSelector": {"is": label}}
    out = [{"key": "out", "operator": "Exists", "effect": "NoExecute"}]
    with ground.node(labels={"is": label}, taints=[OWN]) as node:
        pods.start(pod(metadata={"finalizers": ["example.com/hold"]}, **selected))
        pods.start(pod(name="soon", **selected, tolerations=[{**out[0], "tolerationSeconds": 3}]))
        pods.start(pod(name="stays", **selected, tolerations=out))

        _taint(pods, node, [{"key": "out", "value": "now", "effect": "NoExecute"}])
        held = pods.until(lambda found: "terminated" in status_of(found)["state"])
        assert "deletionTimestamp" not in pods.get("soon")["metadata"]

        assert condition_of(held, "DisruptionTarget")["reason"] == "DeletionByTaintManager"
        record("condition", condition_of(held, "DisruptionTarget")["message"])
        assert pods.said("TaintManagerEviction")["message"] == f"Marking for deletion Pod {pods.namespace}/p"
        assert pods.gone("soon")
        assert "deletionTimestamp" not in pods.get("stays")["metadata"]
        pods.patch({"metadata": {"finalizers": None}})
        pods.delete("stays", grace=0)


def test_a_taint_taken_off_in_time_evicts_nobody(pods, ground):
    label = unique("forgiving")
    out = {"key": "out", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 4}
    with ground.node(labels={"is": label}, taints=[OWN]) as node:
        pods.start(pod("sleep 7", nodeSelector={"is": label}, tolerations=[out]))
        _taint(pods, node, [{"key": "out", "effect": "NoExecute"}])
        _taint(pods, node, [])

        ended = pods.until(lambda found: found["status"]["phase"] == "Succeeded")

        assert "deletionTimestamp" not in ended["metadata"]


def test_pods_that_keep_apart_do_not_share_a_node(pods, ground, message):
    label = unique("apart")
    rule = {"labelSelector": {"matchLabels": {"app": label}}, "topologyKey": "kubernetes.io/hostname"}
    apart = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [rule]}}
    document = {"metadata": {"labels": {"app": label}}, "nodeSelector": {"is": label}, "affinity": apart}
    with ground.node(labels={"is": label}, taints=[OWN]):
        pods.start(pod(name="first", **document))

        said = message(pod(**document))

        assert "1 node(s) didn't match pod anti-affinity rules" in said
        pods.delete("first", grace=0)


def _affinity(expressions):
    return _required([{"matchExpressions": expressions}])


def _required(terms):
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}


def _cordon(pods, node):
    headers = {"Content-Type": "application/merge-patch+json"}
    pods.request("PATCH", f"/api/v1/nodes/{node}", {"spec": {"unschedulable": True}}, headers=headers)


def _taint(pods, node, taints):
    headers = {"Content-Type": "application/merge-patch+json"}
    pods.request("PATCH", f"/api/v1/nodes/{node}", {"spec": {"taints": [OWN, *taints]}}, headers=headers)
