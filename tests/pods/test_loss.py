"""What ends as a loss of the infrastructure, and what as the program's own end (pain 14)."""

from __future__ import annotations

import pytest

from multicluster.pods.loss import loss

SINCE = "2026-11-21T10:00:10Z"
BEFORE = "2026-11-21T10:00:05Z"
LOW = "The node was low on resource: memory. Threshold quantity: 100Mi, available: 52Mi. "
OWN_LIMIT = "Pod ephemeral local storage usage exceeds the total limit of containers 1Gi. "


def pod(*, phase="Failed", ended=None, disrupted=None, since=SINCE, **status):
    conditions = [{"type": "PodScheduled", "status": "True"}]
    if disrupted:
        message = f"said {disrupted}"
        conditions.append(
            {
                "type": "DisruptionTarget",
                "status": "True",
                "reason": disrupted,
                "message": message,
                "lastTransitionTime": since,
            }
        )
    state = {"terminated": ended} if ended else {"running": {}}
    return {
        "metadata": {"name": "fit", "uid": "u1"},
        "spec": {"nodeName": "n1", "containers": [{"name": "base"}]},
        "status": {
            "phase": phase,
            "conditions": conditions,
            "containerStatuses": [{"name": "base", "state": state}],
            **status,
        },
    }


def ended(code, reason="Error", at=SINCE):
    return {"exitCode": code, "reason": reason, "finishedAt": at}


def event(reason, message, uid="u1", at=SINCE):
    return {"reason": reason, "message": message, "involvedObject": {"uid": uid}, "lastTimestamp": at}


LOST = {
    "preempted": (pod(disrupted="PreemptionByScheduler", ended=ended(143)), "was preempted on node n1"),
    "taint": (
        pod(disrupted="DeletionByTaintManager", phase="Running"),
        "was deleted by the taint manager from node n1",
    ),
    "evicted by the API": (pod(disrupted="EvictionByEvictionAPI", ended=ended(1)), "was evicted from node n1"),
    "node gone": (pod(disrupted="DeletionByPodGC"), "was lost with node n1 (DeletionByPodGC: said DeletionByPodGC)"),
    "node pressure": (
        pod(disrupted="TerminationByKubelet", reason="Evicted", message=LOW, ended=ended(137)),
        f"was evicted from node n1 (Evicted: {LOW.strip()})",
    ),
    "a reason to come": (pod(disrupted="SomethingNew"), "was disrupted on node n1 (SomethingNew: said SomethingNew)"),
    "evicted, by an old kubelet": (pod(reason="Evicted", message=LOW), "was evicted from node n1"),
    "node lost": (pod(reason="NodeLost", message="Node n1 was unresponsive"), "was lost with node n1 (NodeLost"),
    "node shut down": (
        pod(reason="Terminated", message="Pod was terminated in response to imminent node shutdown."),
        "was shut down with node n1",
    ),
    "devices": (
        pod(reason="UnexpectedAdmissionError", message="Allocate failed due to no healthy devices present"),
        "was refused by node n1 (UnexpectedAdmissionError: Allocate failed due to no healthy devices present)",
    ),
    "devices taken": (
        pod(reason="OutOfnvidia.com/gpu", message="0 free"),
        "was refused by node n1 (OutOfnvidia.com/gpu",
    ),
    "container lost": (
        pod(ended=ended(137, "ContainerStatusUnknown")),
        "was lost by the kubelet of node n1 (ContainerStatusUnknown)",
    ),
}
OWN = {
    "exit code": pod(ended=ended(3)),
    "killed for memory": pod(ended=ended(137, "OOMKilled"), disrupted="TerminationByKubelet"),
    "failed before it was disrupted": pod(ended=ended(3, at=BEFORE), disrupted="DeletionByPodGC"),
    "done before it was disrupted": pod(ended=ended(0, "Completed"), disrupted="PreemptionByScheduler"),
    "deadline": pod(reason="DeadlineExceeded", message="Pod was active on the node longer than the specified deadline"),
    "its own limit": pod(reason="Evicted", message=OWN_LIMIT),
    "image": pod(phase="Pending"),
    "no disruption": pod(disrupted=None),
}


@pytest.mark.parametrize("case", LOST)
def test_pain_14_what_took_the_pod_away_is_a_loss(case):
    document, words = LOST[case]

    assert str(loss(document, base="base")).startswith(words)


@pytest.mark.parametrize("case", OWN)
def test_pain_14_the_programs_own_end_is_none(case):
    assert loss(OWN[case], base="base") is None


def test_a_pod_without_a_status_is_no_loss():
    assert loss({"metadata": {}}, base="base") is None
    assert loss(None, base="base", gone=True) is None


TOLD = {
    "Evicted": "was evicted from node n1 (Evicted: gone)",
    "Preempted": "was preempted on node n1 (Preempted: gone)",
    "TaintManagerEviction": "was deleted by the taint manager from node n1 (TaintManagerEviction: gone)",
    "ScaleDown": "was evicted from node n1 (ScaleDown: gone)",
}


@pytest.mark.parametrize("reason", TOLD)
def test_pain_14_events_tell_of_a_pod_that_is_gone(reason):
    events = [event("Scheduled", "Successfully assigned team/fit to n1", at=BEFORE), event(reason, "gone")]

    assert str(loss(pod(phase="Running"), base="base", gone=True, events=events)) == TOLD[reason]
    assert str(loss(None, base="base", gone=True, events=events)) == TOLD[reason]


@pytest.mark.parametrize(
    "events",
    [
        [],
        [event("Killing", "Stopping container base")],
        [event("Evicted", "another pod of that name", uid="u0")],
        [event("TaintManagerEviction", "Cancelling deletion of Pod team/fit")],
        [event("Evicted", OWN_LIMIT)],
    ],
    ids=["none", "killed", "an earlier pod's", "cancelled", "its own limit"],
)
def test_a_pod_that_somebody_deleted_is_no_loss(events):
    assert loss(pod(phase="Running"), base="base", gone=True, events=events) is None


def test_a_pod_that_is_gone_is_a_loss_where_its_node_is_gone_too():
    running = pod(phase="Running")

    found = loss(running, base="base", gone=True, node_trouble="no longer exists")
    assert str(found) == "was lost with node n1 (the node no longer exists)"
    assert loss(running, base="base", gone=False, node_trouble="no longer exists") is None
    assert loss(pod(ended=ended(3)), base="base", gone=True, node_trouble="no longer exists") is None
