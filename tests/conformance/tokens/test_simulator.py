"""The simulator judges tokens as v0.7.13 of AWS's own verifier does; `test_aws_verifier.py` asks that one."""

from __future__ import annotations

import datetime as dt

import pytest

from multicluster.simulator.aws.identities import Iam
from multicluster.simulator.aws.token_verifier import TokenRefusedError, TokenVerifier

from .signing import CLUSTER, Signer
from .table import ACCEPTED, REFUSED, TOKENS

NOW = dt.datetime(2026, 11, 21, 12, 0, 0, tzinfo=dt.UTC)


@pytest.fixture
def signer() -> Signer:
    return Signer(Iam(lambda: NOW), lambda: NOW)


def verdict(signer: Signer, token: str) -> str:
    verifier = TokenVerifier(cluster_id=CLUSTER, iam=signer.iam, now=lambda: NOW)
    try:
        return f"{ACCEPTED} as {verifier.verify(token).arn}"
    except TokenRefusedError as refusal:
        return str(refusal)


def test_the_table_holds_the_tokens_that_were_measured():
    assert len(TOKENS) == 37
    assert sum(token.v06 != token.v07 for token in TOKENS.values()) == 5


@pytest.mark.parametrize("name", TOKENS)
def test_the_simulator_says_what_aws_says(signer, name):
    token = TOKENS[name].make(signer)

    assert TOKENS[name].v07 in verdict(signer, token)


def test_the_long_tokens_stand_on_both_sides_of_the_limit(signer):
    lengths = [len(signer.sign(signer.session(token_bytes=size))) for size in (2000, 2040)]

    assert lengths[0] <= 4096 < lengths[1]


@pytest.mark.parametrize("name", REFUSED)
def test_the_simulator_refuses_what_aws_refuses_beside_these(signer, name):
    said = verdict(signer, REFUSED[name](signer))

    assert said.startswith(("input token was not properly formatted: ", "sts getCallerIdentity failed: "))
