"""Container logs."""

from __future__ import annotations

import datetime as dt
import re

import pytest

LOG = "/api/v1/namespaces/default/pods/p/log"


@pytest.fixture
def log(api):
    def read(query=""):
        response = api.request("GET", f"{LOG}?{query}")
        return response.status_code, response.content

    return read


@pytest.fixture
def written(run_pod, new_pod):
    return run_pod(new_pod("p", "sh", "-c", "echo one; echo two >&2; echo three"))


def test_both_streams_are_one_log(written, log):
    assert log() == (200, b"one\ntwo\nthree\n")


def test_the_last_lines_are_given(written, log):
    assert log("tailLines=1") == (200, b"three\n")


def test_the_first_bytes_are_given(written, log):
    assert log("limitBytes=5") == (200, b"one\nt")


def test_timestamps_have_nine_digits(written, log):
    lines = log("timestamps=true")[1].decode().splitlines()

    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z \w+", line) for line in lines)


def test_lines_since_a_moment_are_given(written, log):
    later = (dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")

    assert log(f"sinceTime={later}") == (200, b"")
    assert log("sinceSeconds=60") == (200, b"one\ntwo\nthree\n")


def test_a_followed_log_ends_with_its_container(cluster, new_pod, core):
    cluster.create("pods", new_pod("p", "sh", "-c", "echo one; sleep 0.2; echo two"))
    cluster.wait_until("pods", lambda pods: pods[0]["status"]["phase"] == "Running")

    log = core.read_namespaced_pod_log("p", "default", follow=True, _preload_content=False)

    assert b"".join(log.stream()) == b"one\ntwo\n"


def test_output_without_a_last_newline_is_kept_as_it_is(run_pod, new_pod, log):
    run_pod(new_pod("p", "printf", "no newline"))

    assert log() == (200, b"no newline")


def test_a_line_longer_than_a_pipe_is_one_line(run_pod, new_pod, log):
    run_pod(new_pod("p", "python", "-c", "print('x' * 300_000)"))

    assert len(log()[1]) == 300_001


def test_the_log_of_the_start_before_is_kept(cluster, new_pod, container_in, log):
    cluster.create("pods", new_pod("p", "sh", "-c", "echo run; exit 1", restartPolicy="Always"))
    container_in("p", "waiting", "CrashLoopBackOff")

    assert log("previous=true") == (200, b"run\n")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("container=other", "container other is not valid for pod p"),
        ("previous=true", 'previous terminated container "base" in pod "p" not found'),
        ("tailLines=x", "unable to decode the log options"),
    ],
)
def test_what_cannot_be_given_is_a_bad_request(written, api, query, message):
    code, status = api("GET", f"{LOG}?{query}")

    assert (code, status["reason"]) == (400, "BadRequest")
    assert message in status["message"]


def test_of_several_containers_one_must_be_named(run_pod, new_pod, api):
    document = new_pod("p")
    document["spec"]["containers"].append({"name": "second", "image": "busybox", "command": ["echo", "2"]})
    run_pod(document)

    code, status = api("GET", LOG)

    assert code == 400
    assert status["message"] == "a container name must be specified for pod p, choose one of: [base second]"
    assert api.request("GET", f"{LOG}?container=second").content == b"2\n"


def test_a_container_that_waits_has_no_log_yet(cluster, new_pod, container_in, api):
    cluster.create("pods", new_pod("p", container={"image": "does-not-exist"}))
    container_in("p", "waiting", "ErrImagePull")

    code, status = api("GET", LOG)

    assert (code, status["reason"]) == (400, "BadRequest")
    assert status["message"] == ('container "base" in pod "p" is waiting to start: trying and failing to pull image')


def test_a_pod_without_a_node_has_no_content(cluster, new_pod, log):
    cluster.create("pods", new_pod("p", nodeSelector={"pool": "none"}))

    assert log() == (204, b"")
