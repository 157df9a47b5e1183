"""Results of pods (XCom), and trouble with the sidecar that keeps them."""

from __future__ import annotations

import json

import pytest
import tenacity
from airflow.providers.cncf.kubernetes import kubernetes_helper_functions
from airflow.providers.cncf.kubernetes.utils.pod_manager import PodManager
from kubernetes.stream.ws_client import WSClient
from websocket import WebSocketConnectionClosedException

from multicluster.simulator.faults import Drop, Fault, HttpError

RETURN = "/airflow/xcom/return.json"


def write(text):
    return f"printf '%s' '{text}' > {RETURN}"


@pytest.mark.parametrize("value", [{"loss": 0.1}, [1, 2], "text", 7, True, {"": "ünï"}], ids=str)
def test_the_result_of_a_pod_is_the_tasks(drive, fit, value):
    ran = drive.run(fit(write(json.dumps(value)), do_xcom_push=True))

    assert (ran.error, ran.result) == (None, value)
    assert ran.xcoms.keys() >= {"pod_name", "pod_namespace"}


@pytest.mark.parametrize("command", ["true", f": > {RETURN}", f"mkdir -p /airflow/xcom && touch {RETURN}"])
def test_pain_38_no_result_is_none(drive, fit, command):
    ran = drive.run(fit(command, do_xcom_push=True))

    assert (ran.error, ran.result) == (None, None)


def test_pain_38_a_result_that_is_no_json_fails_the_task_and_says_which_file(drive, fit):
    ran = drive.run(fit(write("{loss: c4n4ry}"), do_xcom_push=True))

    reason = str(ran.error).splitlines()[0]
    assert f"wrote to {RETURN} (14 characters) is no JSON" in reason
    assert "c4n4ry" not in reason


def test_pain_38_a_result_of_one_mebibyte_arrives_whole(drive, fit):
    size = 1024 * 1024 - 2
    command = f"""python3 -c "print('\\"' + 'x' * {size} + '\\"', end='')" > {RETURN}"""
    ran = drive.run(fit(command, do_xcom_push=True, get_logs=False))

    assert ran.error is None
    assert len(ran.result) == size


def test_pain_38_characters_of_several_bytes_arrive_whole(drive, fit):
    command = f"""python3 -c "print('\\"' + 'ü' * 300000 + '\\"', end='')" > {RETURN}"""
    ran = drive.run(fit(command, do_xcom_push=True, get_logs=False))

    assert (ran.error, ran.result == "ü" * 300000) == (None, True)


CUTS = {"politely": None, "rudely": WebSocketConnectionClosedException("Connection to remote host was lost.")}


@pytest.fixture(params=CUTS)
def cut(request, monkeypatch):
    """Cut so many streams off after their first frame."""
    whole = WSClient.run_forever

    def cut(times):
        left = list(range(times))

        def run_forever(self, timeout=None):
            if not left:
                whole(self, timeout)
                return
            left.pop()
            self.update(timeout=60)
            self.close()
            if CUTS[request.param]:
                raise CUTS[request.param]

        monkeypatch.setattr(WSClient, "run_forever", run_forever)
        monkeypatch.setattr(kubernetes_helper_functions, "_default_wait", tenacity.wait_none())
        return left

    return cut


def test_pain_38_a_result_that_was_cut_off_is_read_again_although_the_part_is_good_json(drive, fit, cut):
    left = cut(2)
    ran = drive.run(fit(write("12.5"), do_xcom_push=True))

    assert (ran.error, ran.result, left) == (None, 12.5, [])
    assert "the connection was lost" in ran.text


def test_pain_38_a_result_that_is_always_cut_off_is_a_lost_connection_and_no_bad_json(drive, fit, cut):
    cut(10**3)
    ran = drive.run(fit(write("{"), do_xcom_push=True))

    assert "cannot be read (exec into container airflow-xcom-sidecar): the connection was lost" in str(ran.error)
    assert "no JSON" not in str(ran.error)


def test_pain_38_a_result_that_may_not_be_read_says_what_its_sidecar_complains_of(drive, fit, monkeypatch):
    monkeypatch.setattr("airflow_multicluster.operators.result.PRINT", "uname")
    ran = drive.run(fit(write("7"), do_xcom_push=True))

    assert "cannot be read: simulator: the XCom sidecar is no process" in str(ran.error)


@pytest.mark.parametrize(
    "trouble",
    [
        Fault(
            name="kill", service="kubernetes", operation=".*pods/exec", after=1, times=None, effect=HttpError(code=403)
        ),
        Fault(name="kill", service="kubernetes", operation=".*pods/exec", after=1, times=None, effect=Drop()),
    ],
    ids=["refused", "cut"],
)
def test_pain_38_a_sidecar_that_cannot_be_stopped_is_a_warning_after_a_good_read(drive, fit, trouble):
    drive.world.faults.add(trouble)
    ran = drive.run(fit(write("7"), do_xcom_push=True))

    assert (ran.error, ran.result) == (None, 7)
    assert drive.world.faults.struck("kill") > 0
    assert "Failed to kill xcom sidecar container" in ran.text


@pytest.mark.parametrize("error", [WebSocketConnectionClosedException("gone"), ConnectionResetError("reset")])
def test_pain_38_a_stream_that_breaks_while_the_sidecar_is_stopped_is_a_warning(drive, fit, monkeypatch, error):
    def broken(self, *_, **__):
        raise error

    monkeypatch.setattr(PodManager, "_exec_pod_command", broken)
    ran = drive.run(fit(write("7"), do_xcom_push=True))

    assert (ran.error, ran.result) == (None, 7)
    assert "Failed to kill xcom sidecar container" in ran.text


def test_pain_38_a_pod_kept_with_its_sidecar_does_not_run_for_ever(drive, fit):
    drive.world.faults.add(
        Fault(
            name="kill", service="kubernetes", operation=".*pods/exec", after=1, times=None, effect=HttpError(code=403)
        )
    )
    ran = drive.run(fit(write("7"), do_xcom_push=True, on_finish_action="keep_pod"))

    assert ran.result == 7
    assert 0 < ran.pod["spec"]["activeDeadlineSeconds"] < 120


@pytest.mark.parametrize("effect", [HttpError(code=403), Drop()], ids=["refused", "cut"])
@pytest.mark.parametrize("finish", ["keep_pod", "delete_pod"])
def test_pain_38_a_result_that_cannot_be_read_fails_the_task_and_leaves_no_pod_running(
    drive, fit, finish, effect, monkeypatch
):
    monkeypatch.setattr(kubernetes_helper_functions, "_default_wait", tenacity.wait_none())
    exec_ = Fault(name="exec", service="kubernetes", operation=".*pods/exec", times=None, effect=effect)
    drive.world.faults.add(exec_)
    ran = drive.run(fit(write("7"), do_xcom_push=True, on_finish_action=finish))

    assert drive.world.faults.struck("exec") > 0
    assert (ran.result, ran.xcoms.get("return_value")) == (None, None)
    said = "cannot be read (exec into container airflow-xcom-sidecar): "
    assert said + ("Handshake status 403 Forbidden" if effect != Drop() else "Connection to remote host was lost.") in (
        str(ran.error)
    )
    left = [pod for pod in ran.pods if "deletionTimestamp" not in pod["metadata"]]
    assert len(left) == (finish == "keep_pod")
    assert all(0 < pod["spec"]["activeDeadlineSeconds"] < 120 for pod in left)


def test_the_result_of_a_pod_that_failed_is_kept(drive, fit):
    ran = drive.run(fit(write("7") + "; exit 3", do_xcom_push=True))

    assert "returned a failure" in str(ran.error)
    assert ran.xcoms["return_value"] == 7


def test_outputs_of_a_failed_pod_go_to_several_keys(drive, fit):
    ran = drive.run(fit(write('{"a": 1, "b": 2}') + "; exit 3", do_xcom_push=True, multiple_outputs=True))

    assert ran.error is not None
    assert (ran.xcoms["a"], ran.xcoms["b"]) == (1, 2)
