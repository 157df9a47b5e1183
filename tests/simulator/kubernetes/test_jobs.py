"""Jobs: pods until enough have succeeded, or too many have failed."""

from __future__ import annotations

import datetime as dt

import pytest

from multicluster.simulator.kubernetes.controllers.job_state import job_state

JOBS = "/apis/batch/v1/namespaces/default/jobs"


def job(*command, **spec):
    container = {"name": "base", "image": "busybox", "command": list(command)}
    template = {"spec": {"restartPolicy": "Never", "terminationGracePeriodSeconds": 1, "containers": [container]}}
    return {"metadata": {"name": "j"}, "spec": {"template": template, **spec}}


def held(jobs, kind):
    return any(c["type"] == kind and c["status"] == "True" for c in jobs[0]["status"].get("conditions", []))


def test_a_job_whose_pods_are_refused_says_so_and_waits(api, cluster):
    document = job("true")
    document["spec"]["template"]["spec"]["serviceAccountName"] = "nope"
    api("POST", JOBS, document)

    cluster.wait_until("events", lambda events: any(e["reason"] == "FailedCreate" for e in events))
    assert not held(cluster.objects("jobs"), "Failed")


@pytest.mark.parametrize(
    ("phases", "missing", "complete"),
    [
        ([], 2, False),
        (["Running"], 1, False),
        (["Succeeded"], 2, False),
        (["Succeeded"] * 3, 0, True),
        (["Failed"], 2, False),
    ],
)
def test_how_many_pods_are_missing(phases, missing, complete):
    pods = [{"metadata": {}, "status": {"phase": phase}} for phase in phases]

    state = job_state({"spec": {"completions": 3, "parallelism": 2}}, pods, dt.datetime.now(dt.UTC))

    assert (state.missing, state.complete) == (missing, complete)
