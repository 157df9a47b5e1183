"""Jobs, as Airflow's KubernetesJobOperator uses them: pods until enough have succeeded or too many have failed."""

from __future__ import annotations

import pytest

from .pods import STAYS, container, waits

MERGE = {"Content-Type": "application/merge-patch+json"}


class Jobs:
    """The jobs of one namespace, as plain documents."""

    def __init__(self, pods, eventually):
        self.pods = pods
        self.path = f"/apis/batch/v1/namespaces/{pods.namespace}/jobs"
        self._eventually = eventually

    def create(self, script, **spec):
        template = {
            "metadata": {"labels": {"team": "ml"}},
            "spec": {
                "restartPolicy": "Never",
                "terminationGracePeriodSeconds": 1,
                "containers": [container("base", script)],
                **spec.pop("template", {}),
            },
        }
        return self.pods.request("POST", self.path, {"metadata": {"name": "j"}, "spec": {"template": template, **spec}})

    def get(self):
        return self.pods.request("GET", f"{self.path}/j")

    def until(self, kind, timeout=40):
        """Wait until the job has a condition; return the job."""
        return self._eventually(lambda: condition(found := self.get(), kind) and found, timeout)

    def mine(self):
        """The job's pods."""
        return self.pods.request("GET", f"{self.pods.path}?labelSelector=job-name%3Dj")["items"]


def condition(job, kind):
    conditions = job["status"].get("conditions") or []
    return next((found for found in conditions if (found["type"], found["status"]) == (kind, "True")), {})


def told(job):
    """A job's status without times."""
    status = {key: value for key, value in job["status"].items() if not key.endswith("Time")}
    times = ("lastProbeTime", "lastTransitionTime")
    conditions = [{k: v for k, v in found.items() if k not in times} for found in status.get("conditions", [])]
    return {**status, "conditions": sorted(conditions, key=lambda found: found["type"])}


@pytest.fixture
def jobs(pods, eventually):
    return Jobs(pods, eventually)


def test_a_job_is_complete_when_its_pod_has_succeeded(jobs, record):
    created = jobs.create("echo done")

    done = jobs.until("Complete")

    (pod,) = jobs.mine()
    (owner,) = pod["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["uid"]) == ("Job", "j", created["metadata"]["uid"])
    assert pod["metadata"]["name"].startswith("j-")
    assert done["status"].keys() >= {"startTime", "completionTime"}
    record("status", told(done))
    record("labels", pod["metadata"]["labels"])


def test_a_new_job_has_the_defaults_of_a_server(jobs, record):
    created = jobs.create(STAYS)

    spec = created["spec"]
    record("spec", {key: value for key, value in spec.items() if key not in ("template", "selector")})
    record("labels", spec["template"]["metadata"]["labels"])
    assert spec["selector"] == {
        "matchLabels": {"batch.kubernetes.io/controller-uid": created["metadata"]["uid"]},
    }


def test_a_job_is_active_while_its_pod_runs(jobs, record, eventually):
    jobs.create(STAYS)

    running = eventually(lambda: (found := jobs.get())["status"].get("ready") and found)

    assert running["status"]["active"] == 1
    record("status", told(running))


def test_a_job_fails_at_its_limit(jobs, record):
    jobs.create("exit 1", backoffLimit=0)

    failed = jobs.until("Failed")

    assert condition(failed, "Failed")["reason"] == "BackoffLimitExceeded"
    record("status", told(failed))


def test_a_failed_pod_is_followed_by_another(jobs):
    jobs.create("exit 1", backoffLimit=1)

    failed = jobs.until("Failed")

    assert failed["status"]["failed"] == len(jobs.mine()) == 2


def test_a_job_may_restart_its_containers_instead(jobs, record):
    volume = {"volumes": [{"name": "w", "emptyDir": {}}], "restartPolicy": "OnFailure"}
    script = "test -e /w/done && exit 0; touch /w/done; exit 1"
    volume["containers"] = [container("base", script, volumeMounts=[{"name": "w", "mountPath": "/w"}])]
    jobs.create("", template=volume)

    done = jobs.until("Complete")

    assert len(jobs.mine()) == 1
    record("status", told(done))


def test_several_completions_run_side_by_side(jobs, record):
    jobs.create("true", completions=3, parallelism=2)

    done = jobs.until("Complete")

    assert len(jobs.mine()) == 3
    record("status", told(done))


def test_a_job_past_its_deadline_has_failed(jobs, record, eventually):
    jobs.create(STAYS, activeDeadlineSeconds=2)

    failed = jobs.until("Failed")

    assert condition(failed, "Failed")["reason"] == "DeadlineExceeded"
    record("message", condition(failed, "Failed")["message"])
    assert eventually(lambda: not jobs.mine())


def test_a_suspended_job_runs_when_it_is_resumed(jobs, record):
    jobs.create("true", suspend=True)
    suspended = jobs.until("Suspended")
    assert jobs.mine() == []
    record("suspended", told(suspended))

    jobs.pods.request("PATCH", f"{jobs.path}/j", {"spec": {"suspend": False}}, headers=MERGE)

    record("done", told(jobs.until("Complete")))


def test_a_job_that_is_suspended_loses_its_pods(jobs, eventually):
    jobs.create(STAYS)
    eventually(lambda: jobs.get()["status"].get("ready"))

    jobs.pods.request("PATCH", f"{jobs.path}/j", {"spec": {"suspend": True}}, headers=MERGE)

    assert jobs.until("Suspended")
    assert eventually(lambda: not jobs.mine())


@pytest.mark.parametrize("policy", ["Background", "Foreground"])
def test_the_pods_of_a_deleted_job_go_with_it(jobs, eventually, policy):
    jobs.create(STAYS)
    eventually(jobs.mine)

    jobs.pods.request("DELETE", f"{jobs.path}/j", {"propagationPolicy": policy})

    assert eventually(lambda: not jobs.mine(), 30)
    assert eventually(lambda: jobs.pods.ground.raw("GET", f"{jobs.path}/j")[0] == 404)


def test_the_pods_of_a_deleted_job_may_stay(jobs, eventually):
    jobs.create(STAYS)
    eventually(jobs.mine)

    jobs.pods.request("DELETE", f"{jobs.path}/j", {"propagationPolicy": "Orphan"})
    eventually(lambda: jobs.pods.ground.raw("GET", f"{jobs.path}/j")[0] == 404)

    (pod,) = jobs.mine()
    assert "deletionTimestamp" not in pod["metadata"]
    assert not pod["metadata"].get("ownerReferences")


def test_a_done_job_is_removed_after_its_time(jobs, eventually):
    jobs.create("true", ttlSecondsAfterFinished=1)

    assert eventually(lambda: jobs.pods.ground.raw("GET", f"{jobs.path}/j")[0] == 404, 30)
    assert eventually(lambda: not jobs.mine())


def test_a_deleted_pod_of_a_job_is_replaced(jobs, eventually):
    jobs.create(STAYS)
    (first,) = eventually(jobs.mine)

    jobs.pods.delete(first["metadata"]["name"], grace=0)

    assert eventually(lambda: [pod for pod in jobs.mine() if pod["metadata"]["uid"] != first["metadata"]["uid"]])


def test_a_job_whose_pod_cannot_start_stays_active(jobs, eventually):
    jobs.create("true", template={"containers": [container("base", "true", image="Not A Name")]})

    (pod,) = eventually(jobs.mine)
    jobs.pods.until(waits("InvalidImageName"), pod["metadata"]["name"])

    assert jobs.get()["status"]["active"] == 1
    assert not condition(jobs.get(), "Failed")


@pytest.mark.parametrize("template", [{"restartPolicy": "Always"}, {"containers": []}], ids=["always", "no containers"])
def test_a_job_that_makes_no_sense_is_refused(jobs, record, template):
    spec = {"restartPolicy": "Never", "containers": [container("base", "true")], **template}
    body = {"metadata": {"name": "j"}, "spec": {"template": {"spec": spec}}}

    status, _, answer = jobs.pods.ground.raw("POST", jobs.path, body)

    assert status == 422
    record("answer", answer)


def test_the_events_of_a_job_are_told(jobs, record, eventually):
    jobs.create("true")
    jobs.until("Complete")

    eventually(lambda: {"SuccessfulCreate", "Completed"} <= {event["reason"] for event in jobs.pods.events("j")})

    (pod,) = jobs.mine()
    told_about = {event["reason"]: event for event in jobs.pods.events("j")}
    assert told_about["SuccessfulCreate"]["message"] == f"Created pod: {pod['metadata']['name']}"
    record("completed", told_about["Completed"]["message"])
    record("source", told_about["Completed"]["source"])
