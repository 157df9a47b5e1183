"""Restart policies, back-off, deadlines and the message a container leaves behind."""

from __future__ import annotations

import pytest

from .pods import pod, seen, status_of, waits

ONCE = "test -e /work/done && exit 0; touch /work/done; exit 1"
WORK = {"volumes": [{"name": "work", "emptyDir": {}}], "volumeMounts": [{"name": "work", "mountPath": "/work"}]}


@pytest.mark.parametrize(
    ("policy", "code", "phase"),
    [("Never", 0, "Succeeded"), ("Never", 1, "Failed"), ("OnFailure", 0, "Succeeded")],
)
def test_a_pod_ends_where_its_restart_policy_lets_it(pods, record, policy, code, phase):
    ended = pods.run(pod(f"exit {code}", restartPolicy=policy))

    assert ended["status"]["phase"] == phase
    assert status_of(ended)["restartCount"] == 0
    record("status", seen(ended))


@pytest.mark.parametrize(("policy", "code"), [("OnFailure", 1), ("Always", 0), ("Always", 1)])
def test_a_container_is_started_again_and_then_backs_off(pods, record, policy, code):
    pods.create(pod(f"exit {code}", restartPolicy=policy))

    found = pods.until(waits("CrashLoopBackOff"))

    assert found["status"]["phase"] == "Running"
    assert status_of(found)["lastState"]["terminated"]["exitCode"] == code
    record("status", seen(found))


def test_a_second_try_may_succeed(pods):
    ended = pods.run(pod(ONCE, restartPolicy="OnFailure", **WORK))

    assert ended["status"]["phase"] == "Succeeded"
    assert status_of(ended)["restartCount"] == 1


def test_a_pod_past_its_deadline_is_ended_and_failed(pods, record):
    pods.create(pod(activeDeadlineSeconds=2))

    ended = pods.until(lambda found: "terminated" in status_of(found)["state"])

    assert (ended["status"]["phase"], ended["status"]["reason"]) == ("Failed", "DeadlineExceeded")
    record("status", seen(ended))
    record("event", pods.said("DeadlineExceeded")["message"])


def test_a_pod_whose_deadline_is_moved_into_the_past_is_ended_and_failed(pods, record):
    pods.start(pod())

    pods.patch({"spec": {"activeDeadlineSeconds": 1}})
    ended = pods.until(lambda found: "terminated" in status_of(found)["state"])

    assert (ended["status"]["phase"], ended["status"]["reason"]) == ("Failed", "DeadlineExceeded")
    record("status", seen(ended))


@pytest.mark.parametrize(
    ("script", "options", "message"),
    [
        ("echo -n why > /dev/termination-log; exit 1", {}, "why"),
        ("echo -n fine > /dev/termination-log", {}, "fine"),
        ("echo -n why > /tmp/why; exit 1", {"terminationMessagePath": "/tmp/why"}, "why"),
        ("echo from the log; exit 1", {"terminationMessagePolicy": "FallbackToLogsOnError"}, "from the log\n"),
        ("echo from the log", {"terminationMessagePolicy": "FallbackToLogsOnError"}, None),
        ("echo from the log; exit 1", {}, None),
    ],
    ids=["file", "file of a success", "own path", "log of a failure", "no log of a success", "no log without policy"],
)
def test_a_container_leaves_a_message(pods, script, options, message):
    ended = pods.run(pod(script, **options))

    assert status_of(ended)["state"]["terminated"].get("message") == message


def test_a_message_is_cut_at_4096_bytes(pods):
    ended = pods.run(pod("head -c 5000 /dev/zero | tr '\\0' x > /dev/termination-log; exit 1"))

    assert len(status_of(ended)["state"]["terminated"]["message"]) == 4096


def test_the_log_as_a_message_is_cut_at_2048_bytes_and_80_lines(pods, record):
    ended = pods.run(
        pod(
            "i=0; while [ $i -lt 100 ]; do echo line $i; i=$((i+1)); done; exit 1",
            terminationMessagePolicy="FallbackToLogsOnError",
        )
    )

    message = status_of(ended)["state"]["terminated"]["message"]
    record("message", message)
    assert message.splitlines()[-1] == "line 99"
    assert len(message.splitlines()) == 80
