"""ClusterJobOperator: the stock job operator, on a named cluster."""

from __future__ import annotations

import asyncio
import inspect
import json
import time
from datetime import timedelta
from types import SimpleNamespace

import pytest
from airflow.providers.cncf.kubernetes.hooks.kubernetes import KubernetesHook
from airflow.providers.cncf.kubernetes.operators.job import KubernetesJobOperator
from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.providers.cncf.kubernetes.triggers.job import KubernetesJobTrigger
from airflow.providers.common.compat.sdk import AirflowException, TaskDeferred
from kubernetes.client import models as k8s
from pod_drive.drive import execute

from airflow_multicluster import ClusterJobOperator, ClusterPodOperator
from airflow_multicluster.operators.named_pod import NamedPodOperator
from airflow_multicluster.operators.pooled_pod import PooledPodOperator
from airflow_multicluster.triggers.job import WHEREABOUTS, ClusterJobTrigger
from multicluster.simulator.faults import Fault, HttpError

CLUSTER = "gpu-use1"
DEFERRABLE = pytest.mark.parametrize("deferrable", [True], indirect=True)
QUICK = {
    "job_poll_interval": 0.05,
    "startup_check_interval_seconds": 0.05,
    "poll_interval": 0.05,
    "base_container_status_polling_interval": 0.05,
}


@pytest.fixture
def work(deferrable):
    def work(command="echo trained", **given):
        options = {"task_id": "fit", "image": "busybox:1.37", "cmds": ["sh", "-c", command], "deferrable": deferrable}
        options |= {"wait_until_job_complete": True, "on_finish_action": "keep_pod", **QUICK, **given}
        if not {"cluster", "node_pool"} & set(given):
            options["cluster"] = CLUSTER
        return ClusterJobOperator(**options)

    return work


def jobs(drive):
    return [job["metadata"]["name"] for job in drive.kubernetes.objects("jobs")]


def on_their_way(drive):
    found = drive.kubernetes.objects("jobs")
    return [job["metadata"]["name"] for job in found if "deletionTimestamp" not in job["metadata"]]


def test_a_job_runs_on_the_cluster_and_its_log_is_written(drive, work, place):
    ran = drive.run(work(**place))

    assert ran.error is None
    assert "[base] trained" in ran.text
    assert ran.pod["metadata"]["labels"]["airflow-multicluster/cluster"] == CLUSTER
    assert ran.pod["metadata"]["ownerReferences"][0]["name"] == ran.xcoms["job_name"]


def test_a_node_pool_brings_the_pods_of_a_job_what_it_brings_a_pod(drive, work):
    ran = drive.run(work(node_pool={"cluster": CLUSTER, "name": "mc-room-0", "profile": "l4"}))

    assert ran.pod["spec"]["nodeSelector"] == {"eks.amazonaws.com/nodegroup": "mc-room-0"}
    assert ran.container["resources"]["limits"] == {"nvidia.com/gpu": "1"}


def test_a_job_that_fails_fails_its_task(drive, work):
    ran = drive.run(work("exit 3", backoff_limit=0))

    assert "BackoffLimitExceeded" in str(ran.error)


def test_the_result_of_a_job_is_the_tasks(drive, work):
    ran = drive.run(work("echo '{\"loss\": 0.1}' > /airflow/xcom/return.json", do_xcom_push=True))

    assert (ran.error, ran.result) == (None, {"loss": 0.1})


def test_several_pods_of_a_job_are_one_task(drive, work):
    ran = drive.run(work(parallelism=3, completions=3))

    assert ran.error is None
    assert len(ran.pods) == 3


def test_pain_02_only_the_name_of_a_jobs_cluster_travels(drive, work, deferrable):
    ran = drive.run(work(env_vars={"API_TOKEN": "c4n4ry-variable"}))

    assert len(ran.deferrals) == deferrable
    assert all(arguments["cluster"] == CLUSTER and not WHEREABOUTS & set(arguments) for arguments in ran.deferrals)
    assert "c4n4ry" not in json.dumps(ran.deferrals)


def test_pain_36_what_a_jobs_secret_variables_hold_is_in_no_xcom_and_no_event(drive, work, monkeypatch):
    events = []
    waited = drive.event

    async def noting(*arguments):
        events.append(await waited(*arguments))
        return events[-1]

    monkeypatch.setattr(drive, "event", noting)
    ran = drive.run(work('echo "$API_TOKEN $EPOCHS"', env_vars={"API_TOKEN": "c4n4ry-variable", "EPOCHS": "3"}))

    assert ran.error is None
    assert "c4n4ry" not in str(events) + str(ran.xcoms)
    (container,) = ran.xcoms["job"]["spec"]["template"]["spec"]["containers"]
    assert {one["name"]: one["value"] for one in container["env"]} == {"API_TOKEN": "***", "EPOCHS": "3"}
    assert {"name": "API_TOKEN", "value": "c4n4ry-variable"} in ran.container["env"]


def test_pain_28_a_job_whose_pods_come_late_runs_once(drive, work):
    late = Fault(
        name="none-yet",
        service="kubernetes",
        operation="create pods",
        effect=HttpError(code=500),
    )
    drive.world.faults.add(late)
    ran = drive.run(work(suspend=None, schedule_timeout_seconds=20))

    assert ran.error is None
    assert len(jobs(drive)) == 1


def test_pain_28_a_job_that_never_gets_a_pod_is_deleted_before_the_task_fails(drive, work):
    ran = drive.run(work(suspend=True, schedule_timeout_seconds=1))

    assert "had no pod within 1 s (schedule_timeout_seconds) and was deleted" in str(ran.error)
    assert on_their_way(drive) == []


@DEFERRABLE
def test_pain_29_execution_timeout_ends_a_deferred_job(drive, work):
    started = time.monotonic()
    ran = drive.run(work("sleep 120", execution_timeout=timedelta(seconds=1)))

    assert "execution_timeout is over" in str(ran.error)
    assert time.monotonic() - started < 100
    assert on_their_way(drive) == []


@DEFERRABLE
def test_a_job_that_is_lost_sight_of_is_looked_for_again(drive, work, monkeypatch):
    seen = []

    async def blind(self):
        seen.append(self.own["losses"])
        if len(seen) < 3:
            raise ConnectionError("no route")
        return await original(self)

    original = ClusterJobTrigger._event
    monkeypatch.setattr(ClusterJobTrigger, "_event", blind)
    ran = drive.run(work())

    assert (ran.error, seen) == (None, [0, 1, 2])
    assert "Lost sight of job" in ran.text


@DEFERRABLE
def test_a_job_that_stays_out_of_sight_is_deleted(drive, work, monkeypatch):

    async def blind(self):
        raise ConnectionError("no route")

    monkeypatch.setattr(ClusterJobTrigger, "_event", blind)
    ran = drive.run(work("sleep 60"))

    assert "no route" in str(ran.error)
    assert len(ran.deferrals) == 4
    assert on_their_way(drive) == []


def deferred(drive, work):
    with pytest.raises(TaskDeferred) as caught:
        execute(work("sleep 60", on_kill_propagation_policy="Background"), drive.context())
    return caught.value.trigger


@pytest.mark.parametrize(("state", "left"), [("failed", 0), ("deferred", 1)])
@DEFERRABLE
def test_pain_06_a_killed_trigger_deletes_its_job_unless_another_triggerer_has_it(
    drive, work, state, left, monkeypatch
):
    trigger = deferred(drive, work)

    async def task_state(self):
        return state

    monkeypatch.setattr(ClusterJobTrigger, "_task_state", task_state)
    asyncio.run(trigger.on_kill())

    assert len(on_their_way(drive)) == left


def test_pain_38_a_job_whose_result_may_not_be_read_says_so_and_does_not_run_for_ever(drive, work):
    refused = HttpError(code=403, reason="Forbidden", message="no")
    exec_ = Fault(name="exec", service="kubernetes", operation=".*pods/exec", times=None, effect=refused)
    drive.world.faults.add(exec_)
    ran = drive.run(work("echo 7 > /airflow/xcom/return.json", do_xcom_push=True))

    assert drive.world.faults.struck("exec") > 0
    why = "cannot be read (exec into container airflow-xcom-sidecar): Handshake status 403 Forbidden"
    assert f"job {ran.xcoms['job_name']!r} on cluster {CLUSTER!r} was deleted: " in str(ran.error)
    assert why in str(ran.error)
    assert on_their_way(drive) == []


def test_pain_06_a_job_whose_task_is_killed_while_it_is_made_is_deleted(drive, work, monkeypatch):
    context, operator = drive.context(), work("sleep 600", termination_grace_period=0)
    made = operator.hook.create_job

    def killed(*arguments, **options):
        job = made(*arguments, **options)
        operator.on_kill()
        return job

    monkeypatch.setattr(operator.hook, "create_job", killed)
    with pytest.raises(AirflowException, match="was killed, and its job deleted"):
        execute(operator, context)

    assert on_their_way(drive) == []


@DEFERRABLE
def test_pain_06_a_job_whose_task_is_killed_before_it_is_deferred_is_deleted(drive, work, monkeypatch):
    context, operator = drive.context(), work("sleep 600", termination_grace_period=0)
    found = operator.get_pods

    def killed(*arguments, **options):
        pods = found(*arguments, **options)
        operator.on_kill()
        return pods

    monkeypatch.setattr(operator, "get_pods", killed)
    with pytest.raises(AirflowException, match="was killed, and its job deleted"):
        execute(operator, context)

    assert on_their_way(drive) == []


def test_without_a_cluster_it_is_the_stock_operator():
    job = ClusterJobOperator(task_id="fit", image="x", kubernetes_conn_id=None, config_file="kubeconfig")

    assert type(job.hook) is KubernetesHook
    assert not job.named


def test_without_a_cluster_the_job_is_the_stock_operators_to_the_byte():
    given = {"task_id": "fit", "image": "x", "name": "fit", "namespace": "n", "random_name_suffix": False}
    given |= {"kubernetes_conn_id": None, "labels": {"a": "b"}, "backoff_limit": 2, "parallelism": 3}
    given |= {"full_job_spec": k8s.V1Job(metadata=k8s.V1ObjectMeta(annotations={"c": "d"}))}
    stock, ours = KubernetesJobOperator(**given), ClusterJobOperator(**given)
    for operator in (stock, ours):
        vars(operator)["hook"] = SimpleNamespace(is_in_cluster=False)

    assert ours.build_job_request_obj().to_dict() == stock.build_job_request_obj().to_dict()


def test_every_parameter_of_the_stock_job_operator_is_taken():
    def names(operator):
        return {
            name
            for one in operator.__mro__
            if "__init__" in vars(one)
            for name in inspect.signature(one.__init__).parameters
        }

    assert names(ClusterJobOperator) >= names(KubernetesJobOperator) | {"cluster", "node_pool"}


def test_retries_that_a_job_does_not_heed_are_refused():
    with pytest.raises(ValueError, match="task 'sweep' gives infrastructure_retries, which is not for jobs"):
        ClusterJobOperator(task_id="sweep", cluster="here", image="busybox:1.37", infrastructure_retries=1)


def test_another_way_to_a_cluster_is_refused():
    with pytest.raises(ValueError, match="config_file=None"):
        ClusterJobOperator(task_id="fit", image="x", cluster=CLUSTER, config_file="kubeconfig")


def test_it_is_the_same_seam_as_the_pods():
    seam = [one for one in ClusterJobOperator.__mro__ if one.__module__.startswith("airflow_multicluster")]
    own = {name for name in vars(ClusterJobOperator) if callable(vars(ClusterJobOperator)[name])}

    assert seam == [ClusterJobOperator, ClusterPodOperator, PooledPodOperator, NamedPodOperator]
    assert issubclass(ClusterJobOperator, KubernetesJobOperator)
    assert not own & set(vars(KubernetesPodOperator)) - {"execute", "__init__", "on_kill"}


def test_the_stock_job_trigger_has_no_argument_nobody_looked_at():
    known = {
        "job_name", "job_namespace", "pod_names", "pod_namespace", "base_container_name", "pod_name", "poll_interval",
        "get_logs", "do_xcom_push", *WHEREABOUTS,
    }  # fmt: skip

    assert set(inspect.signature(KubernetesJobTrigger).parameters) == known
