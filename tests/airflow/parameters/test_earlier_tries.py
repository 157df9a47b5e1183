"""A later try takes up the pod of an earlier one, if it lives and is its own."""

from __future__ import annotations

import pytest
import tenacity
from airflow.providers.cncf.kubernetes import kubernetes_helper_functions

from airflow_multicluster.operators.reattach import DEPLOYMENT_LABEL, deployment_labels
from multicluster.simulator.faults import Drop, Fault, HttpError


def make(drive, operator, context):
    """Make the pod of a try whose worker then dies."""
    return operator.get_or_create_pod(operator.build_pod_request_obj(context), context).metadata.name


def names(pods):
    return {pod["metadata"]["name"] for pod in pods}


@pytest.fixture
def context(drive):
    return drive.context(try_number=1)


def next_try(context):
    context["ti"].try_number += 1
    return context


def test_pain_28_a_running_pod_of_the_try_before_is_taken_up(drive, fit, context):
    first = make(drive, fit("sleep 1; echo trained"), context)
    ran = drive.run(fit("echo another"), context=next_try(context))

    assert (ran.error, names(ran.pods)) == (None, {first})
    assert "trained" in ran.text


def test_pain_28_a_pod_of_another_airflow_is_left_alone(drive, fit, context, monkeypatch):
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("AIRFLOW__MULTICLUSTER__DEPLOYMENT", "staging")
        first = make(drive, fit("sleep 60"), context)
    context["task_state_store"].clear()  # it is the other's
    ran = drive.run(fit(), context=next_try(context))

    assert ran.error is None
    assert first in names(ran.pods)
    assert len(ran.pods) == 2
    labels = {pod["metadata"]["labels"][DEPLOYMENT_LABEL] for pod in ran.pods}
    assert deployment_labels()[DEPLOYMENT_LABEL] in labels
    assert len(labels) == 2


def test_pain_28_of_two_pods_of_one_try_one_is_taken_up_and_the_other_deleted(drive, fit, context):
    operator = fit("sleep 1; echo trained", durable=True)
    for _ in range(2):
        operator.client.create_namespaced_pod("default", operator.build_pod_request_obj(context))
    made = names(drive.pods(context))
    ran = drive.run(fit("sleep 1; echo trained", termination_grace_period=0), context=next_try(context))

    assert ran.error is None
    assert "are both this task's; keeping the newer, deleting the other" in ran.text
    kept = [one for one in ran.pods if "deletionTimestamp" not in one["metadata"]]
    assert len(kept) == 1
    assert names(kept) <= made


@pytest.mark.parametrize("finish", ["keep_pod", "delete_pod"])
@pytest.mark.parametrize("reason", [None, "Evicted", "Preempting"])
def test_pain_14_a_dead_pod_of_the_try_before_is_never_taken_up(drive, fit, context, finish, reason):
    first = make(drive, fit("exit 3"), context)
    (pod,) = drive.kubernetes.wait_until("pods", lambda pods: pods[0]["status"]["phase"] == "Failed")
    drive.change(pod, **({"reason": reason} if reason else {}))
    ran = drive.run(fit(on_finish_action=finish, get_logs=True), context=next_try(context))

    assert ran.error is None
    assert "trained" in ran.text
    kept = {name for name in names(ran.pods) if name != first}
    assert len(kept) == (finish == "keep_pod")


def ended(drive, operator, context, phase="Succeeded"):
    """Make the pod of a try whose worker then dies, and see it end."""
    first = make(drive, operator, context)
    drive.kubernetes.wait_until("pods", lambda pods: pods[0]["status"].get("phase") == phase)
    return first


def made(drive):
    return drive.kubernetes.requests["create", "pods"]


@pytest.mark.parametrize("finish", ["keep_pod", "delete_pod"])
def test_pain_28_work_that_was_done_after_its_worker_was_killed_is_not_done_again(drive, fit, context, finish):
    given = {"env_vars": {"EPOCHS": "3"}, "on_finish_action": finish}
    first = ended(drive, fit(**given), context)
    before = made(drive)
    ran = drive.run(fit(**given), context=next_try(context))

    assert (ran.error, made(drive)) == (None, before), ran.text
    assert f"Pod {first} of an earlier try has done this task's work: it ended with exit code 0" in ran.text
    assert "trained" in ran.text
    assert names(ran.pods) == ({first} if finish == "keep_pod" else set())


@pytest.mark.parametrize("change", [{"image": "busybox:1.36"}, {"env_vars": {"EPOCHS": "4"}}, {"arguments": ["x"]}])
def test_pain_28_what_the_task_asks_for_by_now_is_done_although_something_else_was(drive, fit, context, change):
    first = ended(drive, fit(env_vars={"EPOCHS": "3"}), context)
    ran = drive.run(fit(**{"env_vars": {"EPOCHS": "3"}, **change}), context=next_try(context))

    assert ran.error is None, ran.text
    assert f"Pod {first} of an earlier try has ended with exit code 0, but the task asks for something else" in ran.text
    assert names(ran.pods) - {first}


RESULT = {"command": "echo 7 > /airflow/xcom/return.json", "do_xcom_push": True}


@pytest.mark.parametrize("finish", ["keep_pod", "delete_pod"])
def test_pain_28_work_whose_result_is_out_of_reach_is_done_again_and_the_log_says_why(drive, fit, context, finish):
    operator = fit(**RESULT)
    first = make(drive, operator, context)
    drive.kubernetes.wait_until("pods", lambda pods: container_ended(pods[0], "base"))
    operator.pod_manager.extract_xcom_kill(operator.find_pod("default", context))
    drive.kubernetes.wait_until("pods", lambda pods: pods[0]["status"]["phase"] == "Succeeded")
    ran = drive.run(fit(**RESULT, on_finish_action=finish), context=next_try(context))

    assert (ran.error, ran.result) == (None, 7), ran.text
    assert f"Pod {first} of an earlier try has ended with exit code 0, but its result can no longer be read" in ran.text


def container_ended(pod, name):
    known = pod["status"].get("containerStatuses", ())
    return any(one["name"] == name and "terminated" in one["state"] for one in known)


def test_pain_14_a_pod_whose_work_has_failed_is_not_taken_up_although_its_sidecar_runs(drive, fit, context):
    first = make(drive, fit("exit 3", do_xcom_push=True), context)
    drive.kubernetes.wait_until("pods", lambda pods: container_ended(pods[0], "base"))
    ran = drive.run(fit(**RESULT), context=next_try(context))

    assert (ran.error, ran.result) == (None, 7), ran.text
    assert f"Pod {first} of an earlier try has failed; this try gets a new one" in ran.text


def test_pain_14_the_pod_of_a_lost_cluster_is_not_looked_for(drive, fit, context):
    make(drive, fit("sleep 60"), context)
    ran = drive.run(fit(cluster="here"), context=next_try(context))

    assert ran.error is None
    assert "An earlier try ran on cluster 'gpu-use1', this one on 'here'" in ran.text


@pytest.mark.parametrize(
    "effect",
    [Drop(), HttpError(code=500), HttpError(code=503), HttpError(code=429, headers={"Retry-After": "1"})],
    ids=str,
)
def test_pain_22_one_pod_is_made_however_the_api_server_answers(drive, fit, effect, monkeypatch):
    monkeypatch.setattr(kubernetes_helper_functions, "_default_wait", tenacity.wait_none())
    drive.world.faults.add(Fault(name="flaky", service="kubernetes", operation="create pods", effect=effect))
    ran = drive.run(fit())

    assert (ran.error, len(ran.pods)) == (None, 1)
    assert drive.world.faults.struck("flaky") == 1


VERBS = {
    "get pods": {},
    "list pods": {},
    "patch pods": {"on_finish_action": "keep_pod"},
    "delete pods": {"on_finish_action": "delete_pod"},
    "get pods/log": {},
    ".*pods/exec": {},
}
ANSWERS = {
    "429": HttpError(code=429, headers={"Retry-After": "1"}),
    "500": HttpError(code=500),
    "503": HttpError(code=503),
    "reset": Drop(),
}


@pytest.mark.parametrize("deferrable", [False], indirect=True)
@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("verb", VERBS)
def test_pain_22_a_task_outlives_a_bad_answer_to_any_request(drive, fit, verb, answer, monkeypatch):
    monkeypatch.setattr(kubernetes_helper_functions, "_default_wait", tenacity.wait_none())
    drive.world.faults.add(Fault(name="flaky", service="kubernetes", operation=verb, effect=ANSWERS[answer]))
    command = "echo trained; echo 7 > /airflow/xcom/return.json"
    ran = drive.run(fit(command, do_xcom_push=True, **VERBS[verb]))

    assert (ran.error, ran.result) == (None, 7), ran.text
    assert drive.world.faults.struck("flaky") == 1
    assert "trained" in ran.text
    assert len(ran.pods) == (verb != "delete pods")


def test_pain_22_a_create_whose_answer_was_lost_is_not_made_twice(drive, fit, context):
    operator = fit()
    request = operator.build_pod_request_obj(context)
    lost = operator.client.create_namespaced_pod("default", request)
    made = operator.pod_manager.create_pod(request)

    assert made.metadata.uid == lost.metadata.uid
    assert len(drive.pods(context)) == 1


def test_pain_22_a_pod_of_that_name_that_is_another_tasks_is_not_taken(drive, fit, context, monkeypatch):
    from airflow.providers.cncf.kubernetes.utils.pod_manager import PodManager
    from kubernetes.client import ApiException

    operator = fit(name="shared", random_name_suffix=False)
    operator.client.create_namespaced_pod("default", operator.build_pod_request_obj(drive.context(task_id="other")))
    request = operator.build_pod_request_obj(context)

    with pytest.raises(ApiException, match="AlreadyExists"):
        operator.pod_manager.run_pod_async(request)
    assert issubclass(type(operator.pod_manager), PodManager)
