"""Faults: which calls they strike, and how."""

from __future__ import annotations

import pytest
import requests

from multicluster.simulator.clock import ManualClock
from multicluster.simulator.faults import Delay, Drop, Fault, Faults, Hang, HttpError

PODS = "/api/v1/namespaces/default/pods"


def struck(faults, calls, service="s", operation="get x", target="/x"):
    return [bool(faults.effects(service, operation, target)) for _ in range(calls)]


def test_a_fault_strikes_once_unless_told_otherwise():
    faults = Faults()
    faults.add(Fault(name="f", effect=Drop()))

    assert struck(faults, 3) == [True, False, False]
    assert faults.struck("f") == 1


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"after": 2}, [False, False, True, False]),
        ({"times": 2}, [True, True, False, False]),
        ({"times": None}, [True] * 4),
        ({"after": 1, "times": None}, [False, True, True, True]),
        ({"probability": 0.0, "times": None}, [False] * 4),
    ],
)
def test_the_calls_struck_can_be_chosen(options, expected):
    faults = Faults()
    faults.add(Fault(name="f", effect=Drop(), **options))

    assert struck(faults, 4) == expected


def test_chance_is_repeated_by_its_seed():
    def run(seed):
        faults = Faults()
        faults.add(Fault(name="f", effect=Drop(), times=None, probability=0.5, seed=seed))
        return struck(faults, 50)

    assert run(1) == run(1)
    assert run(1) != run(2)
    assert any(run(1))
    assert not all(run(1))


@pytest.mark.parametrize(
    ("pattern", "hit"),
    [
        ({"service": "s"}, True),
        ({"service": "other"}, False),
        ({"operation": "(get|list) x"}, True),
        ({"operation": "get"}, False),
        ({"target": "/x.*"}, True),
    ],
)
def test_patterns_match_the_whole(pattern, hit):
    faults = Faults()
    faults.add(Fault(name="f", effect=Drop(), **pattern))

    assert struck(faults, 1) == [hit]


def test_a_removed_fault_strikes_no_more_and_its_count_stays():
    faults = Faults()
    faults.add(Fault(name="f", effect=Drop(), times=None))
    struck(faults, 2)

    faults.remove("f")
    faults.remove("never there")

    assert (struck(faults, 1), faults.struck("f")) == ([False], 2)


def test_an_error_is_answered_in_the_words_of_the_service(api, cluster):
    effect = HttpError(code=429, message="slow down", headers={"Retry-After": "3"})
    cluster.faults.add(Fault(name="f", effect=effect, service="kubernetes", operation="list pods"))

    response = api.request("GET", PODS)

    assert (response.status_code, response.json()["reason"]) == (429, "TooManyRequests")
    assert (response.json()["message"], response.headers["Retry-After"]) == ("slow down", "3")
    assert api("GET", PODS)[0] == 200


def test_an_error_may_bring_its_own_body(api, cluster):
    cluster.faults.add(Fault(name="f", effect=HttpError(code=502, body=b"<html>", content_type="text/html")))

    assert api.request("GET", PODS).text == "<html>"


def test_a_dropped_connection_is_an_error_of_the_connection(api, cluster):
    cluster.faults.add(Fault(name="f", effect=Drop(), operation="list pods"))

    with pytest.raises(requests.exceptions.ConnectionError):
        api("GET", PODS)


def test_a_black_hole_never_answers(api, cluster):
    cluster.faults.add(Fault(name="f", effect=Hang(), operation="list pods"))

    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.get(cluster.url + PODS, headers={"Authorization": "Bearer good"}, verify=api.ca, timeout=(5, 0.3))


def test_a_delay_passes_on_the_clock_of_the_world(new_cluster, tmp_path):
    import threading

    from .conftest import Api

    clock = ManualClock()
    cluster = new_cluster(clock=clock)
    (tmp_path / "ca.pem").write_bytes(cluster.ca_pem)
    cluster.faults.add(Fault(name="f", effect=Delay(seconds=3600), operation="list pods"))
    answers = []

    def ask():
        answers.append(Api(cluster.url, str(tmp_path / "ca.pem"))("GET", PODS)[0])

    thread = threading.Thread(target=ask)
    thread.start()
    clock.wait_for_sleepers(1)
    clock.advance(3600)
    thread.join(10)

    assert answers == [200]
