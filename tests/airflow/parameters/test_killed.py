"""A task that is killed leaves no pod, whenever it is killed and however its API server answers."""

from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace

import pytest
from airflow.providers.common.compat.sdk import AirflowException
from airflow.sdk.exceptions import AirflowTaskTimeout, TaskDeferred
from kubernetes.client import ApiException
from kubernetes.client import models as k8s
from pod_drive.drive import execute
from pod_drive.log import hearing
from urllib3.exceptions import HTTPError

from airflow_multicluster.operators import killed
from multicluster.errors import CredentialUnavailableError
from multicluster.simulator.faults import Fault, HttpError

WORK = {"command": "sleep 600", "termination_grace_period": 0}
DEFERRABLE = pytest.mark.parametrize("deferrable", [True], indirect=True)


@pytest.fixture
def context(drive):
    return drive.context()


def none_runs(drive, context):
    """Whether all pods of the task go or are gone."""
    return all("deletionTimestamp" in pod["metadata"] for pod in drive.pods(context))


@DEFERRABLE
def test_pain_05_a_task_that_is_killed_between_create_and_deferral_is_not_deferred(drive, fit, context):
    operator, push = fit(**WORK), context["ti"].xcom_push

    def killed_here(key, value):
        operator.on_kill()
        push(key, value)

    context["ti"].xcom_push = killed_here
    with pytest.raises(AirflowException, match="task 'fit' was killed, and its pod deleted"):
        execute(operator, context)

    assert none_runs(drive, context)


@DEFERRABLE
def test_pain_05_a_task_that_is_killed_before_its_deferral_may_keep_its_pod(drive, fit, context):
    operator = fit(**WORK, on_kill_action="keep_pod")
    context["ti"].xcom_push = lambda key, value: operator.on_kill()
    with pytest.raises(AirflowException, match="task 'fit' was killed, and its pod kept"):
        execute(operator, context)

    assert not none_runs(drive, context)


def test_pain_05_a_pod_that_is_found_by_a_task_that_was_killed_meanwhile_is_deleted(drive, fit, context):
    earlier = fit(**WORK)
    earlier.get_or_create_pod(earlier.build_pod_request_obj(context), context)
    context["ti"].try_number = 2
    operator = fit(**WORK)
    found = operator.log_matching_pod
    operator.log_matching_pod = lambda **told: [found(**told), operator.on_kill()]
    with pytest.raises(AirflowException, match="was killed"):
        execute(operator, context)

    assert (len(drive.pods(context)) <= 1, none_runs(drive, context)) == (True, True)


def test_pain_05_no_pod_is_made_for_a_task_that_was_killed_before(drive, fit, context):
    operator = fit(**WORK)
    built = operator.build_pod_request_obj
    operator.build_pod_request_obj = lambda *told: [operator.on_kill(), built(*told)][1]
    asked = drive.kubernetes.requests["create", "pods"]
    with pytest.raises(AirflowException, match="was killed"):
        execute(operator, context)

    assert drive.kubernetes.requests["create", "pods"] == asked


def test_pain_06_a_pod_that_comes_after_its_create_was_given_up_is_deleted(drive, fit, context, monkeypatch):
    monkeypatch.setattr(killed, "LATE_SECONDS", 60)
    operator = fit(**WORK)
    make, wanted = operator.client.create_namespaced_pod, []

    def late():
        asked = drive.kubernetes.requests["delete", "pods"]
        over.set()
        while drive.kubernetes.requests["delete", "pods"] == asked and not gone.wait(0.02):
            pass
        make(body=wanted[0], namespace="default")

    def too_slow(body, **_):
        wanted.append(body)
        raise AirflowTaskTimeout

    monkeypatch.setattr(operator.client, "create_namespaced_pod", too_slow)
    over, gone, server = threading.Event(), threading.Event(), threading.Thread(target=late)
    with pytest.raises(AirflowTaskTimeout):
        execute(operator, context)
    server.start()
    over.wait(60)
    operator.on_kill()  # as the task runner does
    gone.set()
    server.join()

    assert wanted
    assert none_runs(drive, context)


class ApiServer:
    """Answers a delete with *error* until its clock says *ends*."""

    def __init__(self, error, ends):
        self.now = 0.0
        self.asked = 0
        self._error, self._ends = error, ends

    def delete(self):
        self.asked += 1
        if self.now < self._ends:
            raise self._error

    def sleep(self, seconds):
        self.now += seconds

    def end(self, late=0):
        """Let a task be killed; return what its log says."""
        said = []
        with hearing(said):
            killed.end(
                self.delete,
                kind="pod",
                place=k8s.V1ObjectMeta(name="fit-x1", namespace="ml"),
                operator=SimpleNamespace(cluster_name="gpu-use1", log=killed_log()),
                late=late,
                clock=lambda: self.now,
                sleep=self.sleep,
            )
        return "\n".join(said)


def killed_log():
    from airflow_multicluster import ClusterPodOperator

    return ClusterPodOperator(task_id="fit", image="x").log


AWAY = [ApiException(status=503, reason="away"), HTTPError("refused"), CredentialUnavailableError("no STS")]


@pytest.mark.parametrize("error", AWAY, ids=lambda error: type(error).__name__)
def test_pain_06_a_kill_asks_for_as_long_as_airflow_leaves_time(error):
    server = ApiServer(error, ends=50)
    said = server.end()

    assert 50 <= server.now <= 60
    assert 10 <= server.asked <= 20
    assert "pod fit-x1 in namespace ml of cluster 'gpu-use1' cannot be deleted; asking again" in said
    assert "may run on" not in said


@pytest.mark.parametrize("seconds", [60, 10])
def test_pain_06_a_pod_that_could_not_be_deleted_is_named_with_what_to_do(monkeypatch, seconds):
    monkeypatch.setenv("AIRFLOW__CORE__KILLED_TASK_CLEANUP_TIME", str(seconds))
    server = ApiServer(AWAY[0], ends=10**9)
    said = server.end()

    assert server.now == seconds
    assert "pod fit-x1 in namespace ml of cluster 'gpu-use1' could not be deleted and may run on: 503 away" in said
    assert "kubectl --kubeconfig <(multicluster kubeconfig gpu-use1) --namespace ml delete pod fit-x1" in said


def test_pain_06_a_refusal_is_told_at_once():
    server = ApiServer(ApiException(status=403, reason="Forbidden"), ends=10**9)

    assert "may run on: 403 Forbidden" in server.end()
    assert (server.asked, server.now) == (1, 0)


@pytest.mark.parametrize(("late", "asked"), [(0, 1), (10, 7)])
def test_pain_06_a_pod_that_may_still_come_is_looked_for_a_while_and_one_that_was_there_is_not(late, asked):
    server = ApiServer(ApiException(status=404, reason="Not Found"), ends=3)

    assert server.end(late=late) == ""
    assert server.asked == asked


def test_pain_06_a_pod_that_never_comes_is_not_looked_for_for_ever():
    server = ApiServer(ApiException(status=404, reason="Not Found"), ends=10**9)

    assert server.end(late=killed.LATE_SECONDS) == ""
    assert killed.LATE_SECONDS <= server.now < killed.LATE_SECONDS + 1


@pytest.fixture(params=[7, None], ids=["for a while", "for good"])
def away(drive, request):
    """Let the API server refuse so many deletions, or all."""
    fault = Fault(
        name="away", service="kubernetes", operation="delete pods", times=request.param, effect=HttpError(code=503)
    )
    drive.world.faults.add(fault)
    return request.param


@DEFERRABLE
def test_pain_06_a_deferred_pod_is_deleted_through_an_outage_or_named(drive, fit, context, monkeypatch, away):
    monkeypatch.setenv("AIRFLOW__TRIGGERER__ON_KILL_TIMEOUT", "60" if away else "3.5")
    monkeypatch.setattr("airflow_multicluster.triggers.killed.MOST_DELAY", 0.01)
    with pytest.raises(TaskDeferred) as caught:
        execute(fit(**WORK), context)
    trigger, said = caught.value.trigger, []
    monkeypatch.setattr(trigger, "get_task_state", failed)
    with hearing(said):
        asyncio.run(trigger.on_kill())

    assert drive.world.faults.struck("away") >= (away or 1)
    assert none_runs(drive, context) is (away is not None)
    assert ("could not be deleted and may run on" in "\n".join(said)) is (away is None)


async def failed():
    return "failed"
