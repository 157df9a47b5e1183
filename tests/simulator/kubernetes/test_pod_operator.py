"""The stock KubernetesPodOperator runs on the simulator as it does on a cluster."""

from __future__ import annotations

import logging
import os
import tempfile
import threading
from types import SimpleNamespace

import pytest

os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="airflow-"))
os.environ.setdefault("AIRFLOW__CORE__LOAD_EXAMPLES", "False")

from multicluster.simulator.faults import Fault, HttpError

pytestmark = pytest.mark.filterwarnings("ignore")
operators = pytest.importorskip("airflow.providers.cncf.kubernetes.operators.pod", reason="Airflow is not installed")
errors = pytest.importorskip("airflow.providers.cncf.kubernetes.utils.pod_manager")
AirflowException = pytest.importorskip("airflow.sdk.exceptions").AirflowException

XCOM = "import json; json.dump({'a': [1, 2]}, open('/airflow/xcom/return.json', 'w'))"
FOREVER = "import time; print('started'); time.sleep(60)"


def context():
    ti = SimpleNamespace(
        dag_id="d",
        task_id="t",
        run_id="r",
        map_index=-1,
        try_number=1,
        start_date=None,
        xcom_push=lambda **_: None,
    )
    return {"ti": ti, "task_instance": ti, "run_id": "r", "dag": SimpleNamespace(dag_id="d")}


@pytest.fixture
def operator(kubeconfig):
    def make(script, **options):
        values = {
            "task_id": "t",
            "name": "p",
            "namespace": "default",
            "image": "python:3.12",
            "config_file": str(kubeconfig),
            "cmds": ["python", "-c"],
            "arguments": [script],
            "startup_check_interval_seconds": 0.05,
            "base_container_status_polling_interval": 0.05,
            **options,
        }
        return operators.KubernetesPodOperator(**values)

    return make


@pytest.fixture
def said(caplog, capfd):
    """What was logged, whichever way this Airflow logs outside a task runner."""
    caplog.set_level(logging.INFO)
    return lambda: caplog.text + "".join(capfd.readouterr())


class Run(threading.Thread):
    """An operator executed in a thread; `error` is what it raised."""

    def __init__(self, operator):
        super().__init__(daemon=True)
        self.operator, self.error = operator, None
        self.start()

    def run(self):
        try:
            self.operator.execute(context())
        except Exception as error:  # noqa: BLE001 - looked at by the test
            self.error = error


def running(pods):
    return bool(pods) and pods[0]["status"]["phase"] == "Running"


def gone(pods):
    return not pods


def test_a_pod_runs_its_output_is_logged_and_it_is_deleted(cluster, operator, said):
    operator("print('hello from the pod')").execute(context())

    assert "[base] hello from the pod" in said()
    assert cluster.wait_until("pods", gone) == []


def test_the_result_of_a_pod_is_returned(cluster, operator):
    result = operator(XCOM, do_xcom_push=True).execute(context())

    assert result == {"a": [1, 2]}
    assert cluster.wait_until("pods", gone) == []


def test_a_pod_without_a_result_returns_none(operator):
    assert operator("pass", do_xcom_push=True).execute(context()) is None


def test_a_failing_pod_fails_the_task_and_is_deleted(cluster, operator):
    with pytest.raises(AirflowException, match="returned a failure"):
        operator("raise SystemExit(4)").execute(context())

    assert cluster.wait_until("pods", gone) == []


def test_a_failing_pod_with_xcom_fails_the_task(operator):
    with pytest.raises(AirflowException):
        operator("raise SystemExit(4)", do_xcom_push=True).execute(context())


def test_a_pod_that_is_kept_is_labelled_as_checked(cluster, operator):
    operator("pass", on_finish_action="keep_pod").execute(context())

    (pod,) = cluster.objects("pods")
    assert pod["status"]["phase"] == "Succeeded"
    assert pod["metadata"]["labels"]["already_checked"] == "True"


def test_an_image_that_cannot_be_pulled_fails_the_launch(operator):
    with pytest.raises(AirflowException) as raised:
        operator("pass", image="does-not-exist:1").execute(context())

    assert isinstance(raised.value.__context__, errors.PodLaunchFailedException)


def test_a_pod_no_node_takes_times_out(operator):
    with pytest.raises(AirflowException) as raised:
        operator("pass", node_selector={"pool": "none"}, schedule_timeout_seconds=1).execute(context())

    assert isinstance(raised.value.__context__, errors.PodLaunchTimeoutException)


def test_a_pod_deleted_midway_fails_the_task(cluster, operator, core):
    task = Run(operator(FOREVER))
    (pod,) = cluster.wait_until("pods", running)

    core.delete_namespaced_pod(pod["metadata"]["name"], "default", grace_period_seconds=0)
    task.join(30)

    assert not task.is_alive()
    assert task.error is not None


def test_a_node_lost_midway_fails_the_task(cluster, operator):
    task = Run(operator(FOREVER))
    cluster.wait_until("pods", running)

    cluster.remove_node("n1")
    task.join(30)

    assert not task.is_alive()
    assert task.error is not None


def test_errors_of_the_server_are_retried(cluster, operator):
    cluster.faults.add(
        Fault(name="500", effect=HttpError(code=500), service="kubernetes", operation="get pods", times=2)
    )

    operator("pass").execute(context())

    assert cluster.faults.struck("500") == 2


def test_a_killed_task_deletes_its_pod(cluster, operator):
    task = Run(operator(FOREVER, termination_grace_period=1))
    cluster.wait_until("pods", running)

    task.operator.on_kill()
    task.join(30)

    assert not task.is_alive()
    assert cluster.wait_until("pods", gone) == []
    assert cluster.processes == 0


def test_a_second_attempt_finds_the_pod_of_the_first(operator, said):
    first = operator("print('once')")
    first.pod_request_obj = first.build_pod_request_obj(context())
    first.get_or_create_pod(first.pod_request_obj, context())

    operator("print('never')").execute(context())

    assert "[base] once" in (text := said())
    assert "[base] never" not in text
