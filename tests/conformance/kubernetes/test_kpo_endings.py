"""KubernetesPodOperator and ClusterPodOperator: what goes wrong, and what the task says."""

from __future__ import annotations

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowSkipException
from kubernetes.client import models as k8s
from kubernetes.client.exceptions import ApiException

from .pods import NO_IMAGE, OWN, TOLERATES_OWN, unique
from .tasks import Background, told

UP = "echo up; trap 'exit 143' TERM; sleep 300 & wait"
QUICK = {"startup_timeout_seconds": 5, "schedule_timeout_seconds": 3}


@pytest.fixture
def failed(tasks, record):
    """Run a task that fails; return the error."""

    def run(script, how="run", **options):
        with pytest.raises((AirflowException, ApiException)) as raised:
            getattr(tasks, how)(script, **options)
        record(
            "told", told(raised.value)[: 1 if how == "deferred" else None]
        )  # which of two words depends on the moment
        return raised.value

    return run


def test_another_exit_code_fails_the_task_and_is_named(failed, pods):
    error = failed("echo -n because > /dev/termination-log; exit 4")

    assert "'exit_code': 4" in str(error)
    assert "because" in str(error)
    assert pods.gone()


def test_the_log_may_be_part_of_the_error(failed):
    error = failed(
        "echo the last words; exit 1", log_events_on_failure=True, termination_message_policy="FallbackToLogsOnError"
    )

    assert "the last words" in str(error)


def test_a_failure_with_a_result_is_a_failure(failed, pods):
    failed("exit 4", do_xcom_push=True)

    assert pods.gone()


def test_a_result_that_is_none_is_a_failure(failed):
    failed("mkdir -p /airflow/xcom; echo '{oops' > /airflow/xcom/return.json", do_xcom_push=True)


def test_an_exit_code_may_mean_skipped(tasks, pods):
    with pytest.raises(AirflowSkipException):
        tasks.run("exit 42", skip_on_exit_code=42)

    assert pods.gone()


@pytest.mark.parametrize("action", ["keep_pod", "delete_succeeded_pod"])
def test_a_failed_pod_may_be_kept(failed, pods, action):
    failed("exit 4", on_finish_action=action)

    assert pods.get()["status"]["phase"] == "Failed"


def test_an_image_that_cannot_be_pulled_fails_the_launch(failed, pods):
    error = failed("true", image=NO_IMAGE)

    assert "PodLaunchFailedException" in " ".join(told(error))
    assert pods.gone()


def test_an_image_name_that_is_none_fails_the_launch(failed):
    assert "InvalidImageName" in " ".join(told(failed("true", image="Not A Name")))


def test_an_image_that_may_not_be_pulled_fails_the_launch(failed):
    error = failed("true", image=NO_IMAGE, image_pull_policy="Never")

    assert "ErrImageNeverPull" in " ".join(told(error))


def test_a_command_that_is_not_there_fails_the_task(failed):
    assert "returned a failure" in str(failed("true", cmds=["no-such-program"]))


def test_a_pod_no_node_takes_times_out(failed, pods):
    error = failed("true", node_selector={"there": unique("no")}, **QUICK)

    assert "PodLaunchTimeoutException" in " ".join(told(error))
    assert pods.gone()


def test_a_missing_secret_times_out(failed):
    source = k8s.V1EnvFromSource(secret_ref=k8s.V1SecretEnvSource(name="absent"))

    error = failed("true", env_from=[source], **QUICK)

    assert "PodLaunchTimeoutException" in " ".join(told(error))


def test_a_failed_init_container_fails_the_task(failed):
    failed("true", init_containers=[k8s.V1Container(name="first", image="busybox:1.36", command=["false"])])


def test_a_pod_past_its_deadline_fails_the_task(failed):
    assert "DeadlineExceeded" in str(failed(UP, active_deadline_seconds=2))


def test_a_container_over_its_memory_limit_is_named(failed):
    limit = k8s.V1ResourceRequirements(limits={"memory": "16Mi"})

    error = failed("x=$(head -c 100m /dev/zero | tr '\\0' x); sleep 60", container_resources=limit)

    assert "OOMKilled" in str(error)


@pytest.fixture
def up(tasks, pods, eventually):
    """Start a task and return it once its pod runs."""

    def start(**options):
        running = Background(tasks.make(UP, **options))
        eventually(lambda: pods.ground.raw("GET", f"{pods.path}/p")[0] == 200)
        pods.log_until("up") if pods.until(lambda found: found["status"]["phase"] == "Running") else None
        return running

    return start


def test_a_pod_deleted_midway_fails_the_task(up, pods, record):
    running = up()

    pods.delete(grace=0)

    error = running.ended()
    assert error is not None
    record("told", told(error)[:1])


def test_an_evicted_pod_fails_the_task(up, pods, record):
    running = up(on_finish_action="keep_pod")

    status, _, _ = pods.ground.raw("POST", f"{pods.path}/p/eviction", {"metadata": {"name": "p"}})

    assert status == 201
    assert running.ended() is not None
    assert pods.gone()


def test_a_lost_node_fails_the_task(tasks, pods, ground, eventually):
    label = unique("lost")
    with ground.node(labels={"is": label}, taints=[OWN]):
        there = {"node_selector": {"is": label}, "tolerations": [k8s.V1Toleration(**TOLERATES_OWN)]}
        running = Background(tasks.make(UP, **there))
        eventually(lambda: pods.ground.raw("GET", f"{pods.path}/p")[0] == 200)
        pods.until(lambda found: found["status"]["phase"] == "Running")

    assert running.ended(timeout=120) is not None


def test_a_deferred_failure_fails_the_task_and_is_named(failed, pods):
    error = failed("sleep 1; exit 4", "deferred")

    assert "'exit_code': 4" in str(error)
    assert pods.gone()


def test_a_deferred_image_that_cannot_be_pulled_fails_the_task(failed, pods):
    failed("true", "deferred", image=NO_IMAGE)

    assert pods.gone()


def test_a_deferred_pod_no_node_takes_times_out(failed, pods):
    failed("true", "deferred", node_selector={"there": unique("no")}, **QUICK)

    assert pods.gone()


def test_a_deferred_pod_deleted_midway_fails_the_task(tasks, pods):
    def vanish():
        pods.until(lambda found: found["status"]["phase"] == "Running")
        pods.delete(grace=0)

    with pytest.raises(AirflowException):
        tasks.deferred(UP, meanwhile=vanish)
