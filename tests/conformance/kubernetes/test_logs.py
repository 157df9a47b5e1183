"""Reading what containers have written."""

from __future__ import annotations

import re
import time

import pytest

from .pods import NO_IMAGE, STAYS, container, pod, running, status_of, waits

LINES = "for i in 1 2 3 4 5; do echo line $i; done; sleep 1; echo last >&2"
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d) ")


@pytest.fixture
def written(pods):
    """A pod that has written six lines and ended."""
    pods.run(pod(LINES))
    pods.log_until("last")
    return pods


def test_a_log_is_all_that_was_written_to_both_streams(written):
    assert written.log() == "line 1\nline 2\nline 3\nline 4\nline 5\nlast\n"


@pytest.mark.parametrize(("lines", "expected"), [(2, "line 5\nlast\n"), (0, ""), (100, None)])
def test_the_tail_of_a_log_is_so_many_lines(written, lines, expected):
    assert written.log(query=f"tailLines={lines}") == (written.log() if expected is None else expected)


def test_a_log_is_cut_at_a_limit_of_bytes(written):
    assert written.log(query="limitBytes=10") == "line 1\nlin"


def test_lines_may_come_with_the_moment_they_were_written(written):
    lines = written.log(query="timestamps=true").splitlines()

    assert all(STAMP.match(line) for line in lines)
    assert [STAMP.sub("", line) for line in lines] == written.log().splitlines()


def test_a_log_since_a_moment_leaves_out_what_was_before(pods):
    pods.start(pod("echo before; sleep 2; echo after; sleep 60"))
    first = pods.log_until("after") and pods.log(query="timestamps=true").split()[0]
    since = re.sub(r"\.\d+", "", first)
    later = re.sub(r":(\d\d)Z", lambda match: f":{int(match[1]) + 1:02}Z", since)

    assert pods.log(query=f"sinceTime={since}") == "before\nafter\n"
    assert int(later[-3:-1]) > 59 or pods.log(query=f"sinceTime={later}") == "after\n"


def test_a_log_of_the_last_seconds_leaves_out_what_was_before(pods):
    pods.start(pod("echo before; sleep 4; echo after; sleep 60"))
    pods.log_until("after")

    assert pods.log(query="sinceSeconds=2") == "after\n"
    assert pods.log(query="sinceSeconds=600") == "before\nafter\n"


def test_a_followed_log_ends_with_the_container(pods):
    pods.start(pod("echo first; sleep 2; echo second"))

    assert pods.log(query="follow=true") == "first\nsecond\n"


def test_a_followed_log_comes_as_it_is_written(pods, ground):
    pods.start(pod("echo first; sleep 30; echo second"))
    began = time.monotonic()

    first = next(pods.follow())

    assert first == b"first\n"
    assert time.monotonic() - began < 25


def test_the_log_of_the_start_before_can_be_read(pods):
    pods.create(pod("echo run; exit 1", restartPolicy="OnFailure"))
    pods.until(lambda found: status_of(found).get("restartCount") == 1 and waits("CrashLoopBackOff")(found))

    assert pods.log_until("run\n", query="previous=true") == "run\n"


def test_there_is_no_start_before_the_first(pods, record):
    pods.start(pod())

    record("answer", _refusal(pods, "previous=true", 400))


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (pod(image=NO_IMAGE), "ImagePullBackOff"),
        (pod(envFrom=[{"configMapRef": {"name": "absent"}}]), "CreateContainerConfigError"),
        (pod(image="Not A Name"), "InvalidImageName"),
    ],
    ids=["image", "configuration", "image name"],
)
def test_a_container_that_has_not_started_has_no_log(pods, record, document, reason):
    pods.create(document)
    pods.until(waits(reason))

    answer = _refusal(pods, "", 400)
    record("answer", answer)
    assert answer["message"].startswith('container "base" in pod "p" is waiting to start: ')


def test_a_container_whose_command_is_not_there_has_an_empty_log(pods):
    pods.run(pod(command=["no-such-program"]))

    assert pods.log() == ""


def test_a_container_behind_an_init_container_has_no_log(pods, record):
    pods.create(pod(initContainers=[container("first", STAYS)]))
    pods.until(lambda found: "running" in status_of(found, "first")["state"])

    answer = _refusal(pods, "", 400)
    record("answer", answer)
    assert answer["message"] == 'container "base" in pod "p" is waiting to start: PodInitializing'


def test_a_pod_on_no_node_has_no_log(pods, record):
    pods.create(pod(nodeSelector={"there": "no"}))
    pods.said("FailedScheduling")

    status, _, answer = pods.ground.raw("GET", f"{pods.path}/p/log")
    record("answer", answer)
    assert (status, answer) == (204, "")


def test_an_unknown_container_has_no_log(written, record):
    record("answer", _refusal(written, "container=other", 400))


def test_a_pod_that_is_not_there_has_no_log(pods, record):
    record("answer", _refusal(pods, "", 404))


def test_which_of_several_containers_has_to_be_said(pods, record):
    first = container("first", "echo init")
    pods.create(pod(containers=[container("a", "echo a; sleep 60"), container("b", STAYS)], initContainers=[first]))
    pods.until(running)

    record("answer", _refusal(pods, "", 400))
    assert pods.log(query="container=first") == "init\n"
    assert pods.log_until("a", query="container=a") == "a\n"


@pytest.mark.parametrize(
    "query", ["tailLines=-1", "limitBytes=0", "sinceSeconds=0", "sinceSeconds=1&sinceTime=2020-01-01T00:00:00Z"]
)
def test_options_without_a_meaning_are_refused(written, record, query):
    record("answer", _refusal(written, query, 422))


@pytest.mark.parametrize("query", ["tailLines=x", "sinceTime=yesterday"])
def test_options_that_cannot_be_read_are_refused(written, query):
    assert _refusal(written, query, 400)["reason"] == "BadRequest"


def test_a_last_line_without_its_end_is_kept(pods):
    pods.run(pod("printf 'no end'"))

    assert pods.log() == "no end"


def test_a_long_line_is_kept_whole(pods):
    pods.run(pod("head -c 40000 /dev/zero | tr '\\0' x; echo"))

    assert pods.log() == "x" * 40000 + "\n"


def test_output_that_is_no_text_is_kept(pods):
    pods.run(pod("printf '\\303\\251\\n'"))

    assert pods.log() == "é\n"


def _refusal(pods, query, status):
    code, _, answer = pods.ground.raw("GET", f"{pods.path}/p/log?{query}")
    assert code == status, answer
    return answer
