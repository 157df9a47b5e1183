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


def test_a_job_is_complete_when_its_pod_has_succeeded(api, cluster):
    api("POST", JOBS, job("true"))

    (done,) = cluster.wait_until("jobs", lambda jobs: held(jobs, "Complete"))

    (pod,) = cluster.objects("pods")
    assert done["status"]["succeeded"] == 1
    assert done["status"].keys() >= {"startTime", "completionTime"}
    assert "active" not in done["status"]
    assert pod["metadata"]["labels"]["job-name"] == "j"
    assert pod["metadata"]["ownerReferences"][0]["uid"] == done["metadata"]["uid"]


def test_a_job_fails_at_its_limit(api, cluster):
    api("POST", JOBS, job("false", backoffLimit=2))

    (failed,) = cluster.wait_until("jobs", lambda jobs: held(jobs, "Failed"))

    reasons = {c["type"]: c.get("reason") for c in failed["status"]["conditions"]}
    assert (failed["status"]["failed"], reasons["Failed"]) == (3, "BackoffLimitExceeded")


def test_several_completions_run_side_by_side(api, cluster):
    api("POST", JOBS, job("true", completions=4, parallelism=2))

    (done,) = cluster.wait_until("jobs", lambda jobs: held(jobs, "Complete"))

    assert done["status"]["succeeded"] == len(cluster.objects("pods")) == 4


def test_a_suspended_job_runs_when_resumed(api, cluster):
    api("POST", JOBS, job("true", suspend=True))
    cluster.wait_until("jobs", lambda jobs: held(jobs, "Suspended"))
    assert cluster.objects("pods") == []

    merge = {"Content-Type": "application/merge-patch+json"}
    api("PATCH", f"{JOBS}/j", {"spec": {"suspend": False}}, headers=merge)

    cluster.wait_until("jobs", lambda jobs: held(jobs, "Complete"))


def test_the_pods_of_a_deleted_job_go_with_it(api, cluster):
    api("POST", JOBS, job("sleep", "60"))
    cluster.wait_until("pods", lambda pods: bool(pods) and pods[0]["status"]["phase"] == "Running")

    api("DELETE", f"{JOBS}/j", {"propagationPolicy": "Background"})

    assert cluster.wait_until("pods", lambda pods: not pods) == []


def test_a_job_whose_pods_are_refused_says_so_and_waits(api, cluster):
    document = job("true")
    document["spec"]["template"]["spec"]["serviceAccountName"] = "nope"
    api("POST", JOBS, document)

    cluster.wait_until("events", lambda events: any(e["reason"] == "FailedCreate" for e in events))
    assert not held(cluster.objects("jobs"), "Failed")


@pytest.mark.parametrize("policy", ["Always", None])
def test_a_job_s_pods_may_not_restart_always(api, policy):
    document = job("true")
    document["spec"]["template"]["spec"]["restartPolicy"] = policy

    code, status = api("POST", JOBS, document)

    assert (code, status["message"]) == (
        422,
        (
            'Job.batch "j" is invalid: spec.template.spec.restartPolicy: Required value: '
            'valid values: "OnFailure", "Never"'
        ),
    )


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
