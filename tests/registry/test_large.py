"""A document that is large, or made to be slow, is judged in a time that grows with its size only."""

from __future__ import annotations

import re
import sys
import time

import pytest

from multicluster import RegistryDocumentError, load_registry
from multicluster.registry.kinds import Kinds
from multicluster.registry.load import examine_sources
from multicluster.registry.secrets import SHAPES, secrets_in_comments, shape_of
from multicluster.registry.source import Source

HEAD = "apiVersion: multicluster/v1alpha1\nkind: ClusterRegistry\n"
GOOD = HEAD + "clusters:\n- name: a\n  auth: {inCluster: {}}\n"
SLOW = {
    "json web tokens' first parts": "-eyJaaaa" * 40_000,
    "joined first parts": "eyJ-" * 80_000,
    "second parts": "aaaaaaaa.eyJ" * 30_000,
    "colons": "://" + "a:" * 150_000,
    "addresses": "://a:a" * 50_000,
    "private keys": "-----BEGIN " * 30_000,
    "spaces of a private key": "-----BEGIN " + "A " * 150_000,
    "google": "-ya29." * 50_000,
    "github": "-ghp_" * 50_000,
    "AWS": "AKIA" * 80_000,
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", SLOW)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_looked_for_in_one_pass(shape, name):
    begin = time.process_time()
    re.search(SHAPES[shape], SLOW[name])

    assert time.process_time() - begin < 10


@pytest.mark.timeout(20)
def test_a_comment_of_first_parts_of_tokens_loads():
    assert list(load_registry(Source(label="x", text=GOOD + "# " + SLOW["json web tokens' first parts"] + "\n"))) == [
        "a"
    ]


@pytest.mark.timeout(20)
def test_many_secrets_in_comments_are_found_in_one_pass():
    text = "# AKIAIOSFODNN7EXAMPLE AKIAIOSFODNN7EXAMPLE\n" * 50_000
    begin = time.process_time()

    assert len(list(secrets_in_comments(text))) == 50_000
    assert time.process_time() - begin < 15


def test_a_token_is_found_behind_any_prefix():
    assert shape_of("my-eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJDQU5BUlkifQ.sig") == "a JSON web token"


def wrong(count):
    return "".join(f"- {{name: a{at}, ath: {{}}}}\n" for at in range(count))


def calls_of(work):
    """How many calls a piece of work makes: its cost, the same on a busy machine."""
    made = 0

    def count(frame, event, argument):
        nonlocal made
        made += 1

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return made


@pytest.mark.timeout(120)
def test_thousands_of_wrong_clusters_cost_each_the_same():
    def calls(count):
        def examine():
            _, problems = examine_sources([Source(label="x", text=HEAD + "clusters:\n" + wrong(count))], Kinds())
            assert len(problems) == 2 * count

        return calls_of(examine)

    calls(10)

    assert calls(4000) < 8 * calls(500) * 1.2


def test_the_first_twenty_problems_are_told_and_how_many_more_there_are():
    with pytest.raises(RegistryDocumentError) as caught:
        load_registry(Source(label="x", text=HEAD + "clusters:\n" + wrong(30)))

    lines = str(caught.value).splitlines()
    assert lines[0] == "60 problems in the registry:"
    assert (len(lines), lines[-1]) == (22, "  ... and 40 more")
