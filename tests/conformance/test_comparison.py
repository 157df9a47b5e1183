"""The comparison of two grounds, which says whether the simulator is what it claims to be."""

from __future__ import annotations

import json

import pytest

from .kubernetes.answers import comparable
from .kubernetes.comparison import Comparison, KnownDifference, known_differences

CASE = "test_area.py::test_case"


def compared(simulator, testbed, known=(), outcomes=("passed", "passed")):
    comparison = Comparison(known)
    for ground, answer, outcome in zip(("simulator", "testbed"), (simulator, testbed), outcomes, strict=True):
        comparison.add(CASE, ground, outcome, {"body": json.dumps(answer)})
    return comparison


def known(differs):
    return [KnownDifference(case=CASE, differs=differs, reason="so it is")]


def test_the_same_answer_is_equal_on_both():
    comparison = compared({"a": [1]}, {"a": [1]})

    assert comparison.problems() == []
    assert comparison.table()[1].split() == ["area", "1", "1", "0"]


def test_another_answer_is_a_problem_that_names_the_place():
    (problem,) = compared({"a": [1]}, {"a": [2]}).problems()

    assert f"{CASE} (body)" in problem
    assert ".a[0]: 1 != 2" in problem


def test_a_case_that_fails_on_one_ground_is_a_problem():
    (problem,) = compared(1, 1, outcomes=("failed", "passed")).problems()

    assert "(outcome)" in problem


@pytest.mark.parametrize(("differs", "outcome"), [("body", "passed"), ("outcome", "failed")])
def test_a_known_difference_is_none(differs, outcome):
    assert compared(1, 2, known(differs), outcomes=(outcome, "passed")).problems() == []


def test_a_case_that_fails_on_both_grounds_is_not_equal_on_both():
    comparison = compared(1, 1, outcomes=("failed", "failed"))

    assert comparison.table()[1].split() == ["area", "1", "0", "0"]


def test_a_known_difference_that_is_no_more_is_a_problem():
    (problem,) = compared(1, 1, known("body")).problems()

    assert "there is none any more" in problem


def test_a_case_of_one_ground_is_not_judged():
    comparison = compared(1, 2, known("other"), outcomes=("passed", "skipped"))

    assert (comparison.possible, comparison.problems()) == (False, [])


def test_a_failure_after_the_call_is_kept():
    comparison = compared(1, 1)
    comparison.add(CASE, "simulator", "failed", {})
    comparison.add(CASE, "simulator", "passed", {})

    assert "failed != passed" in comparison.problems()[0]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"uid": "11111111-2222-3333-4444-555555555555"}, {"uid": "66666666-7777-8888-9999-000000000000"}),
        ("at 2026-01-01T00:00:00Z", "at 2027-02-02T11:11:11.123456Z"),
        ({"metadata": {"resourceVersion": "7"}}, {"metadata": {"resourceVersion": "8"}}),
        ({"managedFields": [1]}, {}),
        ("pods in ns-1", "pods in ns-2"),
    ],
)
def test_what_one_run_alone_knows_does_not_count(one, other):
    names = {"ns-1": "<namespace>", "ns-2": "<namespace>"}

    assert comparable(one, names) == comparable(other, names)


def test_what_differs_still_counts():
    assert comparable({"code": 404, "reason": "NotFound"}, {}) == {"code": 404, "reason": "NotFound"}


def test_every_known_difference_has_a_reason_and_stands_once():
    entries = known_differences()

    assert all(len(entry.reason) > 20 for entry in entries)
    assert len({(entry.case, entry.differs) for entry in entries}) == len(entries)
