"""A day of a hundred clusters: credentials of every sort end and are renewed, and no caller sees a 401.

MULTICLUSTER_SOAK=often asks every cluster every five minutes, in place of every half hour.
"""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack

import pytest
from soak_day.day import SOON, Day
from soak_day.fleet import Fleet
from soak_day.travel import travel

from multicluster.access.authorization import Authorization
from multicluster.access.cached_endpoint import CachedEndpoint
from multicluster.access.cached_tokens import CachedTokens
from multicluster.kinds.eks.access import EksAccess
from multicluster.kinds.eks.token_source import EksTokenSource
from multicluster.kinds.gke.token_source import GkeTokenSource

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def day(monkeypatch):
    """Return a function that makes a day of so many clusters."""
    with ExitStack() as stack:

        def make(clusters, *steps):
            fleet = Fleet(clusters, monkeypatch, stack)
            travel(monkeypatch, fleet.clock)
            return Day(fleet, *steps)

        yield make


@pytest.fixture
def once(monkeypatch):
    """Return a function that lets each object answer a method the first time only, and repeat itself after that."""

    def freeze(kind, method):
        asked, answers = getattr(kind, method), {}

        def answer(self):
            if self not in answers:
                answers[self] = asked(self)
            return answers[self]

        monkeypatch.setattr(kind, method, answer)

    return freeze


def test_no_caller_of_a_hundred_clusters_sees_a_401_or_a_throttle_in_a_day(day, capsys):
    often = (SOON,) if os.environ.get("MULTICLUSTER_SOAK") == "often" else ()
    tally = day(100, *often).run(hours=24)
    with capsys.disabled():
        sys.stdout.write(f"\n{tally}\n")

    assert (tally.surfaced_401s, tally.surfaced_throttles, tally.others) == ([], [], [])
    assert tally.repaired > 0
    assert tally.throttles > 0
    assert tally.sessions > 100
    assert tally.rotations > 90
    assert tally.signed > 1000


def test_a_token_used_beyond_its_life_is_repaired_by_the_second_try(day, monkeypatch):
    monkeypatch.setattr(CachedTokens, "_usable", lambda self: self._token)

    tally = day(8).run(hours=3)

    assert (tally.surfaced_401s, tally.others) == ([], [])
    assert tally.repaired > 0


@pytest.mark.parametrize("source", [EksTokenSource, GkeTokenSource])
def test_the_day_tells_tokens_that_are_never_renewed(day, once, source):
    once(source, "mint")

    tally = day(8).run(hours=3)

    assert tally.surfaced_401s


def test_the_day_tells_sessions_of_roles_that_are_never_renewed(day, once):
    once(EksAccess, "_key")

    tally = day(8).run(hours=3)

    assert tally.surfaced_401s


def test_the_day_tells_a_client_that_gives_up_at_the_first_401(day, monkeypatch):
    renew, renew_async = Authorization.renew, Authorization.renew_async
    monkeypatch.setattr(Authorization, "renew", lambda *given, again: renew(*given, again=True))
    monkeypatch.setattr(Authorization, "renew_async", lambda *given, again: renew_async(*given, again=True))
    monkeypatch.setattr("soak_day.day.REVOKED_EVERY", 3600.0)

    tally = day(8).run(hours=3)

    assert tally.surfaced_401s


def test_the_day_tells_a_client_that_never_asks_for_a_new_ca(day, monkeypatch):
    monkeypatch.setattr(CachedEndpoint, "_ask_anew", lambda self: self._endpoint)

    tally = day(8).run(hours=3)

    assert any("certificate verify failed" in words for words in tally.others)


def test_the_day_tells_a_google_that_is_asked_once_only(day, monkeypatch):
    monkeypatch.setattr("multicluster.kinds.gke.patience.TRIES_MORE", 0)
    monkeypatch.setattr("soak_day.day.PROBABILITY", 0.2)

    tally = day(16).run(hours=3)

    assert tally.surfaced_throttles
