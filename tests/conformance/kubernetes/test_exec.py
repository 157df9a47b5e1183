"""Commands in a running container, over websockets as clients speak them."""

from __future__ import annotations

import json

import pytest
from kubernetes import client
from kubernetes.stream import stream

from .pods import STAYS, container, pod, status_of

WAIT = 15


@pytest.fixture
def execute(pods, ground):
    """Execute a command; return what its status channel says, its output and its errors."""

    def run(*command, stdin=None, container="base", tty=False):
        api = client.CoreV1Api(ground.user("conformance-exec", ("system:masters",)))
        answer = stream(
            api.connect_get_namespaced_pod_exec,
            "p",
            pods.namespace,
            container=container,
            command=list(command),
            stdin=stdin is not None,
            stdout=True,
            stderr=True,
            tty=tty,
            _preload_content=False,
        )
        if stdin is not None:
            answer.write_stdin(stdin)
        answer.run_forever(timeout=WAIT)
        status = json.loads(answer.read_channel(3, timeout=1) or "null")
        return status, answer.read_stdout(timeout=0), answer.read_stderr(timeout=0)

    return run


@pytest.fixture
def up(pods):
    return pods.start(pod(STAYS, env=[{"name": "COLOUR", "value": "blue"}]))


def test_output_and_errors_come_apart(up, execute):
    assert execute("sh", "-c", "echo out; echo err >&2")[1:] == ("out\n", "err\n")


def test_success_is_said_on_the_status_channel(up, execute, record):
    status, _, _ = execute("true")

    assert status["status"] == "Success"
    record("status", status)


@pytest.mark.parametrize("code", [1, 3, 126, 137])
def test_another_exit_code_is_said_on_the_status_channel(up, execute, record, code):
    status, _, _ = execute("sh", "-c", f"exit {code}")

    assert status["details"]["causes"] == [{"reason": "ExitCode", "message": str(code)}]
    record("status", status)


def test_a_command_that_is_not_there_is_said_on_the_status_channel(up, execute, record):
    status, output, errors = execute("no-such-program")

    assert status["status"] == "Failure"
    record("status", status)
    record("output", [output, errors])


def test_input_reaches_the_command(up, execute):
    assert execute("sh", "-c", "read line; echo got $line", stdin="this\n")[1] == "got this\n"


def test_more_than_a_pipe_holds_comes_back(up, execute):
    _, output, _ = execute("sh", "-c", "head -c 300000 /dev/zero | tr '\\0' x")

    assert len(output) == 300000


def test_a_command_sees_the_variables_of_its_container(up, execute):
    assert execute("sh", "-c", "echo $COLOUR")[1] == "blue\n"


def test_a_command_sees_the_files_of_its_container(pods, execute):
    mount = {"volumes": [{"name": "work", "emptyDir": {}}], "volumeMounts": [{"name": "work", "mountPath": "/work"}]}
    pods.start(pod(f"echo here > /work/file; echo up; {STAYS}", **mount))
    pods.log_until("up")

    assert execute("cat", "/work/file")[1] == "here\n"


def test_a_terminal_has_one_stream(up, execute):
    status, output, errors = execute("sh", "-c", "echo out; echo err >&2", tty=True)

    assert (output.replace("\r", ""), errors) == ("out\nerr\n", "")
    assert status["status"] == "Success"


def test_a_command_runs_in_the_container_that_was_asked_for(pods, execute):
    both = [container("one", STAYS, env=[{"name": "WHO", "value": "one"}])]
    both += [container("two", STAYS, env=[{"name": "WHO", "value": "two"}])]
    pods.start(pod(containers=both))

    assert execute("sh", "-c", "echo $WHO", container="two")[1] == "two\n"


@pytest.mark.parametrize("query", ["command=true&container=other&stdout=1", "command=true"])
def test_what_cannot_be_executed_is_refused(up, pods, record, query):
    record("answer", _refusal(pods, query, 400))


def test_an_ended_container_takes_no_commands(pods, record):
    pods.run(pod("true"))

    record("answer", _refusal(pods, "command=true&stdout=1", 500))


def test_a_container_that_waits_takes_no_commands(pods, record):
    pods.create(pod(initContainers=[container("first", STAYS)]))
    pods.until(lambda found: "running" in status_of(found, "first")["state"])

    record("answer", _refusal(pods, "command=true&stdout=1&container=base", 500))


def test_a_pod_on_no_node_takes_no_commands(pods, record):
    pods.create(pod(nodeSelector={"there": "no"}))

    record("answer", _refusal(pods, "command=true&stdout=1", 400))


def test_a_pod_that_is_not_there_takes_no_commands(pods, record):
    record("answer", _refusal(pods, "command=true&stdout=1", 404))


def test_a_plain_request_is_told_to_upgrade(up, pods, record):
    status, _, answer = pods.ground.raw("GET", f"{pods.path}/p/exec?command=true&stdout=1")

    record("answer", [status, answer])
    assert (status, answer["message"]) == (400, "Upgrade request required")


def test_which_of_several_containers_has_to_be_said(pods, record):
    pods.start(pod(containers=[container("a", STAYS), container("b", STAYS)]))

    record("answer", _refusal(pods, "command=true&stdout=1", 400))


def test_a_command_ends_with_its_container(pods, execute):
    pods.start(pod("sleep 3"))

    status, _, _ = execute("sleep", "60")

    assert status is None or status["status"] == "Failure"


def _refusal(pods, query, code):
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol": "v4.channel.k8s.io",
    }
    status, _, answer = pods.ground.raw("GET", f"{pods.path}/p/exec?{query}", headers=upgrade)
    assert status == code, answer
    return [status, answer]
