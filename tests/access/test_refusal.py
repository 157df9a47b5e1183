from __future__ import annotations

import datetime as dt
import pickle
import re
from email.utils import format_datetime

import pytest

from multicluster.access.refusal import clock_hint, refusal
from multicluster.access.token import Finding, Token
from multicluster.errors import CredentialError, CredentialUnavailableError

NOW = dt.datetime.now(dt.UTC)
TOKEN = Token(
    value="canary-token", expires_at=NOW, subject="role airflow (access key AKIA), signed for EKS cluster 'gpu'"
)


def refused(finding=None, headers=None, age=2.0):
    return refusal(
        name="gpu-use1", server="https://gpu", token=TOKEN, age=age, left=718, headers=headers, finding=finding
    )


def test_the_token_is_described_and_not_shown():
    text = str(refused())

    assert "role airflow (access key AKIA), signed for EKS cluster 'gpu', 2 s old and good for 718 s more" in text
    assert "canary" not in text


def test_a_token_of_unknown_age_has_no_age():
    assert "s old" not in str(refused(age=None))


def test_without_a_finding_the_next_step_is_general():
    text = str(refused())

    assert "Next: check that the cluster knows this identity" in text


def test_a_finding_takes_the_place_of_the_general_next_step():
    text = str(refused(Finding(text="STS refuses the signer with ExpiredToken: sign in again")))

    assert text.endswith("STS refuses the signer with ExpiredToken: sign in again")
    assert "Next: check" not in text


@pytest.mark.parametrize(("transient", "kind"), [(True, CredentialUnavailableError), (False, CredentialError)])
def test_an_issuer_that_did_not_answer_is_a_transient_error(transient, kind):
    error = refused(Finding(text="x", transient=transient))

    assert (type(error), error.transient) == (kind, transient)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "This machine's clock agrees with the server's. "),
        (-1200, r"This machine's clock is (1199|1200) s behind the server's: fix that. "),
        (1200, r"This machine's clock is 120[01] s ahead of the server's: fix that. "),
    ],
)
def test_the_clocks_are_compared(seconds, said):
    theirs = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=seconds)

    hint = clock_hint({"Date": format_datetime(theirs, usegmt=True)})

    assert re.fullmatch(said, hint)


@pytest.mark.parametrize("headers", [None, {}, {"Date": "yesterday"}])
def test_nothing_is_said_of_a_clock_that_is_unknown(headers):
    assert clock_hint(headers) == ""
