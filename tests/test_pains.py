"""Every pain that users of Airflow on remote clusters suffer from, and that we said to take away, has a test."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
NAMED = re.compile(r"^\s*(?:async )?def test_pain_(\d\d)_\w+", re.MULTILINE)
PAINS = {
    1: "the token of EKS dies while the task runs",
    2: "a deferred task cannot authenticate in the triggerer",
    5: "a task is a success although its pod was destroyed",
    6: "pods run on when their task was failed, cleared or killed",
    7: "operators of single clouds drift from the stock one",
    8: "authentication to EKS goes through a shell and a subprocess",
    11: "a client of Kubernetes sends no bearer token",
    12: "several clusters in one process get mixed up",
    13: "time-outs of pending pods do not fit autoscaling",
    14: "pods that are preempted or evicted fail their task, or are attached to again",
    15: "teardown does not run, runs early, or hides its failure",
    18: "GKE refuses after an hour, and impersonation",
    19: "the way to a private API server",
    20: "command line tools of vendors in the image",
    21: "logs are lost, doubled, or hang",
    22: "one bad answer of an API server fails a healthy task",
    23: "the triggerer is overloaded by pods",
    24: "the reason of a failure is invisible",
    28: "the wrong pod is attached to",
    29: "execution_timeout is ignored while a task is deferred",
    34: "calls hang",
    35: "temporary files vanish, or are left",
    36: "secrets leak",
    38: "trouble with the XCom sidecar discards good results",
    39: "libraries of credentials do not bear many threads",
    40: "DAG files are slow to read",
}


def named() -> dict[int, list[str]]:
    """Give the tests that bear a pain's number, as ``file:test``."""
    found: dict[int, list[str]] = {}
    for file in sorted(TESTS.rglob("test_*.py")):
        for match in NAMED.finditer(file.read_text()):
            test = match.group(0).split()[-1]
            found.setdefault(int(match.group(1)), []).append(f"{file.relative_to(TESTS)}:{test}")
    return found


@pytest.mark.parametrize("number", PAINS, ids=lambda number: f"{number:02d}")
def test_each_pain_has_a_test_with_its_number_in_its_name(number):
    assert named().get(number, []) != [], PAINS[number]


def test_no_test_bears_the_number_of_a_pain_nobody_knows():
    research = range(1, 41)  # all that users were found to suffer from; those of PAINS are the ones about pods

    assert [test for number, tests in named().items() if number not in research for test in tests] == []


def test_no_test_of_a_pain_escapes_the_count():
    loose = re.compile(r"def (test_\w*pain_?\d+\w*)")
    written = {name for file in TESTS.rglob("test_*.py") for name in loose.findall(file.read_text())}

    assert written == {test.rpartition(":")[2] for tests in named().values() for test in tests}
