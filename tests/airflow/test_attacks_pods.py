"""Pods that are lost, deleted or taken up at the worst moments."""

from __future__ import annotations

import contextlib
import threading

import pytest
import tenacity
from airflow.providers.cncf.kubernetes import kubernetes_helper_functions
from airflow.providers.cncf.kubernetes.callbacks import KubernetesPodOperatorCallback
from airflow.providers.cncf.kubernetes.utils.pod_manager import PodNotFoundException
from airflow.sdk.exceptions import AirflowTaskTimeout
from kubernetes.client import ApiException
from kubernetes.client import models as k8s
from pod_drive.drive import QUICK, Drive, execute
from urllib3.exceptions import HTTPError

from airflow_multicluster.operators.lost_pod import LOSSES
from multicluster.pods.loss import ended_well
from multicluster.simulator.kubernetes.kubelet.worker import Ending

CLUSTER = "here"
BOUND = 60
RESULT = "echo '{\"loss\": 1}' > /airflow/xcom/return.json"
SECOND = k8s.V1Container(name="second", image="busybox:1.37", command=["sh", "-c", "sleep 60"])
BESIDE_ANOTHER = {"full_pod_spec": k8s.V1Pod(spec=k8s.V1PodSpec(containers=[k8s.V1Container(name="base"), SECOND]))}


@pytest.fixture
def drive(world):
    with Drive.swept(world, CLUSTER) as drive:
        yield drive


@pytest.fixture
def context(drive):
    return drive.context()


@pytest.fixture(params=[False, True], ids=["sync", "deferrable"])
def fit(request):
    """Make an operator."""
    from airflow_multicluster import ClusterPodOperator

    def fit(command, **given):
        shell = {"image": "busybox:1.37", "cmds": ["sh", "-c", command], "termination_grace_period": 0}
        return ClusterPodOperator(
            **{"task_id": "fit", "cluster": CLUSTER, "deferrable": request.param, **shell, **QUICK, **given}
        )

    return fit


class Deed(threading.Thread):
    """Does something to the first pod of a task that is as wished."""

    def __init__(self, drive, context, wish, deed):
        super().__init__()
        self._drive, self._context, self._wish, self._deed = drive, context, wish, deed
        self.done_to = None

    def run(self):
        self._drive.kubernetes.wait_until("pods", lambda _: self._find(), timeout=BOUND)
        self.done_to = self._find()
        self._deed(self.done_to)

    def _find(self):
        return next(filter(self._wish, self._drive.pods(self._context)), None)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.join()


def base_has_ended(pod):
    known = pod["status"].get("containerStatuses", ())
    return any(one["name"] == "base" and "terminated" in one["state"] for one in known)


def runs(pod):
    return pod["status"].get("phase") == "Running"


def succeeded(pod):
    return pod["status"].get("phase") == "Succeeded"


@pytest.fixture
def evict(drive):
    def evict(pod):
        worker = drive.kubernetes._kubelet._workers[pod["metadata"]["uid"]]
        drive.kubernetes._run(lambda: worker.end(Ending(grace=0, reason="Evicted", message="low on memory")))

    return evict


@pytest.fixture
def delete(drive):
    return lambda pod: drive.kubernetes.delete("pods", pod["metadata"]["name"], pod["metadata"]["namespace"])


def make(drive, operator, context, *, until):
    """Make the pod of a try whose worker then dies; the next try comes."""
    operator.pod = operator.get_or_create_pod(operator.build_pod_request_obj(context), context)
    drive.kubernetes.wait_until("pods", lambda _: any(map(until, drive.pods(context))), timeout=BOUND)
    context["ti"].try_number += 1
    return operator.pod.metadata.name


@pytest.mark.parametrize("finish", ["keep_pod", "delete_pod"])
def test_a_pod_that_is_evicted_after_its_work_was_done_is_a_success(drive, fit, context, evict, finish):
    with Deed(drive, context, base_has_ended, evict) as eviction:
        ran = drive.run(fit("echo trained", on_finish_action=finish, **BESIDE_ANOTHER), context=context)

    assert (ran.error, "starting pod again" in ran.text) == (None, False), ran.text
    assert [pod["metadata"]["name"] for pod in ran.pods] == [eviction.done_to["metadata"]["name"]] * (
        finish == "keep_pod"
    )


def test_a_pod_that_fails_after_its_base_container_has_succeeded_is_none_where_no_infrastructure_took_it(fit, drive):
    failing = k8s.V1Container(name="second", image="busybox:1.37", command=["sh", "-c", "sleep 1; exit 3"])
    pod = k8s.V1Pod(spec=k8s.V1PodSpec(containers=[k8s.V1Container(name="base"), failing]))

    assert "returned a failure" in str(drive.run(fit("true", full_pod_spec=pod)).error)


@pytest.mark.parametrize("case", [({}, succeeded), (BESIDE_ANOTHER, base_has_ended)], ids=["alone", "beside another"])
def test_a_pod_that_is_deleted_after_its_work_was_done_is_a_success(drive, fit, context, delete, case):
    beside, wish = case
    slow = {"base_container_status_polling_interval": 1, "get_logs": False}  # it is gone before anybody sees its end
    with Deed(drive, context, wish, delete):
        ran = drive.run(fit("sleep 0.5", **slow, **beside), context=context)

    assert ran.error is None, ran.text


@pytest.mark.parametrize(("finished", "well"), [("12:00:09", True), ("12:00:11", False)])
def test_a_program_that_ends_well_because_its_pod_is_deleted_has_not_done_its_work(finished, well):
    asked = {"deletionTimestamp": "2026-11-21T12:00:40Z", "deletionGracePeriodSeconds": 30}
    ended = {"name": "base", "state": {"terminated": {"exitCode": 0, "finishedAt": f"2026-11-21T{finished}Z"}}}

    assert ended_well({"metadata": asked, "status": {"containerStatuses": [ended]}}, base="base") is well


@pytest.mark.parametrize("code", [0, 1])
def test_a_pod_that_is_being_deleted_is_not_taken_up_and_seen_to_its_end_first(drive, fit, context, code):
    dying = fit(f"trap 'sleep 1; exit {code}' TERM; while :; do sleep 0.1; done", termination_grace_period=20)
    first = make(drive, dying, context, until=runs)
    dying.on_kill()
    ran = drive.run(fit("echo trained"), context=context)

    assert (ran.error, "trained" in ran.text) == (None, True), ran.text
    assert f"Pod {first} of an earlier try is being deleted; this try gets a new one" in ran.text
    assert [pod["metadata"]["name"] for pod in ran.pods] != [first]


def test_the_result_of_a_pod_whose_work_is_done_when_it_is_taken_up_is_the_tasks(drive, fit, context):
    make(drive, fit(RESULT, do_xcom_push=True), context, until=base_has_ended)
    ran = drive.run(fit("exit 3", do_xcom_push=True), context=context)

    assert (ran.error, ran.result) == (None, {"loss": 1}), ran.text


def test_the_living_one_of_two_pods_is_taken_up_although_the_dead_one_is_newer(drive, fit, context):
    living = make(drive, fit("sleep 2; echo trained"), context, until=runs)
    operator = fit("exit 3", random_name_suffix=False, name="zzz")
    operator.client.create_namespaced_pod("default", operator.build_pod_request_obj(context))
    drive.kubernetes.wait_until("pods", lambda pods: any(one["status"].get("phase") == "Failed" for one in pods))
    context["task_state_store"].clear()
    ran = drive.run(fit("exit 4"), context=context)

    assert ran.error is None, ran.text
    assert living in {pod["metadata"]["name"] for pod in ran.pods}


def alive(drive, context):
    there = [pod for pod in drive.pods(context) if "deletionTimestamp" not in pod["metadata"]]
    return [pod for pod in there if pod["status"].get("phase") in ("Pending", "Running")]


def none_runs_on(drive, context):
    drive.kubernetes.wait_until("pods", lambda _: not alive(drive, context), timeout=BOUND)
    return True


class Raising(KubernetesPodOperatorCallback):
    """Fails as soon as there is a pod."""

    @staticmethod
    def on_pod_creation(**_):
        raise RuntimeError("no good")


@pytest.mark.parametrize("finish", ["delete_pod", "keep_pod", "delete_succeeded_pod", "delete_active_pod"])
def test_no_pod_runs_on_where_a_callback_fails_before_it_is_waited_for(drive, fit, context, finish):
    ran = drive.run(fit("sleep 600", callbacks=Raising, on_finish_action=finish), context=context)

    assert "no good" in str(ran.error)
    assert none_runs_on(drive, context)
    assert bool(drive.pods(context)) is (finish in {"keep_pod", "delete_succeeded_pod"})


def test_no_pod_runs_on_where_its_name_cannot_be_pushed(drive, fit, context, monkeypatch):
    def refuse(**_):
        raise RuntimeError("no XComs")

    monkeypatch.setattr(context["ti"], "xcom_push", refuse)
    ran = drive.run(fit("sleep 600", on_finish_action="delete_pod"), context=context)

    assert "no XComs" in str(ran.error)
    assert none_runs_on(drive, context)


def test_no_pod_runs_on_where_the_task_times_out_while_it_is_made(drive, fit, context, monkeypatch):
    operator = fit("sleep 600")
    made = operator.client.create_namespaced_pod

    def too_late(*arguments, **options):
        made(*arguments, **options)
        raise AirflowTaskTimeout

    monkeypatch.setattr(operator.client, "create_namespaced_pod", too_late)
    with pytest.raises(AirflowTaskTimeout):
        execute(operator, context)
    operator.on_kill()  # as the task runner does

    assert none_runs_on(drive, context)


def test_no_pod_runs_on_whose_create_never_got_an_answer(drive, fit, context, monkeypatch):
    monkeypatch.setattr(kubernetes_helper_functions, "_default_wait", tenacity.wait_none())
    operator = fit("sleep 600")
    make = operator.client.create_namespaced_pod

    def without_answer(*arguments, **options):
        with contextlib.suppress(ApiException):  # it is there since the first time
            make(*arguments, **options)
        raise HTTPError("no answer")

    monkeypatch.setattr(operator.client, "create_namespaced_pod", without_answer)
    with pytest.raises(HTTPError, match="no answer"):
        execute(operator, context)

    assert none_runs_on(drive, context)
    assert len(drive.pods(context)) == 1


@pytest.mark.parametrize("told", [{"another": "version"}, "words", [1], {"what": "lost"}, None])
@pytest.mark.parametrize("count", ["x", None, []])
def test_what_a_triggerer_of_another_version_tells_does_not_hide_why_the_task_fails(fit, context, told, count):
    event = {"status": "error", "name": "gone", "namespace": "default", "message": "lost", "_loss": told}

    with pytest.raises(PodNotFoundException, match="default/gone not found"):
        fit("true").trigger_reentry(context, {**event, LOSSES: count})


def test_what_a_program_tells_of_its_secrets_is_masked_by_the_worker_that_comes_back(drive, fit, context, monkeypatch):
    masked = []
    monkeypatch.setattr("airflow.sdk.log.mask_secret", lambda *told: masked.append(told))
    operator = fit("true", env_vars={"MY_TOKEN": "c4n4ry"})
    make(drive, operator, context, until=succeeded)
    masked.clear()
    event = {"status": "success", "name": operator.pod.metadata.name, "namespace": "default"}
    fit("true").trigger_reentry(context, event)

    assert ("c4n4ry", "MY_TOKEN") in masked
