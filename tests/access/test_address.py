from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from kubernetes.client import CoreV1Api

from multicluster.access.address import redacted
from multicluster.access.endpoint import Endpoint
from multicluster.access.refusal import refusal, refusal_without_token
from multicluster.access.sync_client import sync_client
from multicluster.access.token import Token
from multicluster.access.trouble import unreachable
from multicluster.errors import ClusterUnreachableError

TOKEN = Token(value="x", expires_at=dt.datetime(2026, 11, 21, tzinfo=dt.UTC))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://proxy:3128", "http://proxy:3128"),
        ("http://bob:s3cr3t@proxy:3128/x", "http://***@proxy:3128/x"),
        ("http://bob:s3@cr3t@proxy", "http://***@proxy"),
        ("http://bob:s3/cr3t@proxy", "http://***@proxy"),
        ("failed: 'https://s3cr3t@host' (http://u:s3cr3t@proxy)", "failed: 'https://***@host' (http://***@proxy)"),
        ("mail to a@b", "mail to a@b"),
    ],
)
def test_an_address_is_shown_without_what_stands_before_the_at_sign(text, shown):
    assert redacted(text) == shown


def test_no_text_of_an_error_shows_the_password_of_an_address():
    secret = Endpoint(server="https://ann:s3cr3t@host", proxy_url="http://bob:s3cr3t@proxy")
    error = OSError("cannot reach http://bob:s3cr3t@proxy")

    texts = [
        unreachable("gpu", secret, error),
        repr(secret),
        str(refusal_without_token(name="gpu", server=secret.server)),
        str(refusal(name="gpu", server=secret.server, token=TOKEN, age=None, left=0, headers=None)),
    ]

    assert [text for text in texts if "s3cr3t" in text] == []


def test_a_dead_proxy_is_named_without_its_password(endpoint, make_access, tokens):
    behind = make_access(replace(endpoint, proxy_url="http://bob:s3cr3t@127.0.0.1:1"), tokens)

    with pytest.raises(ClusterUnreachableError, match=r"through proxy http://\*\*\*@127\.0\.0\.1:1") as caught:
        CoreV1Api(sync_client(behind, name="gpu")).list_namespaced_pod("ml")
    assert "s3cr3t" not in str(caught.value)
