"""Why a base container never ran is one line."""

from __future__ import annotations

import pytest

from multicluster.pods.never_ran import never_ran

WAITING = {"waiting": {"reason": "PodInitializing"}}


def pod(*inits, base=WAITING, phase="Failed", **status):
    return {
        "status": {
            "phase": phase,
            "initContainerStatuses": [{"name": name, "state": state} for name, state in inits],
            "containerStatuses": [{"name": "base", "state": base}],
            **status,
        }
    }


def ended(code, **more):
    return {"terminated": {"exitCode": code, "reason": "Completed" if code == 0 else "Error", **more}}


def test_the_init_container_that_failed_is_named_with_its_exit_code():
    found = never_ran(pod(("fetch", ended(0)), ("check", ended(7, message="no\nbucket"))), base="base")

    assert found == "container 'base' never ran: init container 'check' failed with exit code 7 (Error): no bucket"


def test_what_the_kubelet_says_of_the_pod_comes_first():
    found = never_ran(pod(("fetch", ended(137)), reason="Evicted", message="low on memory"), base="base")

    assert found == "container 'base' never ran: Evicted: low on memory"


@pytest.mark.parametrize(
    "document",
    [
        pod(base=ended(3)),
        pod(base={"running": {}}),
        pod(phase="Pending"),
        pod(("fetch", ended(7)), phase="Running"),
        {},
    ],
    ids=["ended", "runs", "waits", "goes on", "nothing known"],
)
def test_a_base_container_that_ran_or_may_yet_is_none_of_it(document):
    assert never_ran(document, base="base") == ""


def test_a_failed_pod_without_a_reason_is_said_too():
    assert never_ran(pod(), base="base") == "container 'base' never ran: the pod failed before it"
