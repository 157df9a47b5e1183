"""Pods are read through an outage of their API server, and not for ever."""

from __future__ import annotations

import logging

import pytest
from airflow.providers.cncf.kubernetes.kubernetes_helper_functions import KubernetesApiException
from kubernetes.client import ApiException

from airflow_multicluster.patience import GIVE_UP_SECONDS, patiently

LOG = logging.getLogger(__name__)


class Outage:
    """An API server that answers with *error* until its clock says *ends*."""

    def __init__(self, error, ends):
        self.now = 0.0
        self.asked = 0
        self._error = error
        self._ends = ends

    def read(self):
        self.asked += 1
        if self.now < self._ends:
            raise self._error
        return "the pod"

    def sleep(self, seconds):
        self.now += seconds

    def survive(self, **options):
        return patiently(self.read, log=LOG, clock=lambda: self.now, sleep=self.sleep, **options)


def busy(status, **headers):
    error = ApiException(status=status, reason="busy")
    error.headers = headers
    return error


@pytest.mark.parametrize("error", [KubernetesApiException("refused"), busy(500), busy(503), busy(429)])
def test_pain_22_a_pod_is_read_when_its_api_server_is_back_after_two_minutes(error):
    outage = Outage(error, ends=120)

    assert outage.survive() == "the pod"
    assert 120 <= outage.now < 150
    assert outage.asked < 20


def test_an_api_server_that_stays_away_is_given_up():
    outage = Outage(KubernetesApiException("refused"), ends=10**9)

    with pytest.raises(KubernetesApiException, match="refused"):
        outage.survive()
    assert GIVE_UP_SECONDS <= outage.now < GIVE_UP_SECONDS + 60


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_an_answer_that_will_not_change_is_told_at_once(status):
    outage = Outage(busy(status), ends=10)

    with pytest.raises(ApiException, match=str(status)):
        outage.survive()
    assert (outage.asked, outage.now) == (1, 0)


def test_a_busy_api_server_is_left_alone_as_long_as_it_wishes():
    outage = Outage(busy(429, **{"Retry-After": "40"}), ends=1)

    assert outage.survive() == "the pod"
    assert (outage.asked, outage.now) == (2, 40)


def test_nobody_waits_for_the_pod_of_a_task_that_was_killed():
    outage = Outage(KubernetesApiException("refused"), ends=120)

    with pytest.raises(KubernetesApiException):
        outage.survive(over=lambda: True)
    assert outage.asked == 1
