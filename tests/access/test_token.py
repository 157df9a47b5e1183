from __future__ import annotations

import pickle
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from kubernetes.client import CoreV1Api

from multicluster.access.cached_tokens import CachedTokens
from multicluster.access.sync_client import sync_client
from multicluster.access.token import Token
from multicluster.errors import CredentialError

LATER = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "value", ["s3cr3t\n", "s3\r\nX-Evil: 1", "s3cr3t\x00", "s3 cr3t", "s3crét", "s3cr3t\u2028", ""]
)
def test_a_token_that_no_header_can_carry_is_refused_without_being_shown(value):
    with pytest.raises(CredentialError, match="the token of role airflow") as caught:
        Token(value=value, expires_at=LATER, subject="role airflow")

    assert "s3" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_a_token_with_everything_that_tokens_hold_is_accepted_and_travels():
    token = Token(value="k8s-aws-v1.aHR_0c~+/:=", expires_at=LATER)

    assert pickle.loads(pickle.dumps(token)) == token


@pytest.mark.parametrize("value", ["s3cr3t\n", "s3crét"])
def test_a_client_says_so_instead_of_printing_the_header(endpoint, make_access, value):
    class Careless:
        def mint(self):
            return Token(value=value, expires_at=LATER)

    with pytest.raises(CredentialError) as caught:
        sync_client(make_access(endpoint, CachedTokens(Careless())), name="gpu")
    assert "s3cr" not in str(caught.value)


@pytest.mark.parametrize("header", ["Basic s3cr3t\n", "Basic s3crét"])
def test_a_password_that_no_header_can_carry_is_refused_without_being_shown(endpoint, make_access, header):
    careless = make_access(replace(endpoint, authorization=header), None)

    with pytest.raises(CredentialError, match="cluster 'gpu'") as caught:
        CoreV1Api(sync_client(careless, name="gpu")).list_namespaced_pod("ml")
    assert "s3cr" not in str(caught.value)
