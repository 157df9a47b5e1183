from __future__ import annotations

import base64
import datetime as dt
import logging
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import pytest

from multicluster.access.cached_tokens import CachedTokens
from multicluster.errors import CredentialError
from multicluster.kinds.eks.partition import sts_host
from multicluster.kinds.eks.token_source import EksTokenSource, SigningKey, sign

NOW = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
KEY = SigningKey(access_key="AKIDEXAMPLE", secret_key="canary-secret", token="canary-session")


def url_of(token: str) -> str:
    prefix, encoded = token.split(".", 1)
    assert prefix == "k8s-aws-v1"
    assert "=" not in encoded
    return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()


def source(key=lambda: KEY, clock=lambda: NOW, cluster_name="gpu", region="us-east-1"):
    return EksTokenSource(
        key, name="gpu-use1", cluster_name=cluster_name, region=region, subject="role airflow", clock=clock
    )


def test_a_token_is_a_presigned_get_of_the_regional_host_bound_to_the_cluster():
    url = urlsplit(url_of(sign(KEY, cluster_name="gpu", region="eu-west-1")))
    query = {name: value[0] for name, value in parse_qs(url.query).items()}

    assert (url.scheme, url.netloc, url.path) == ("https", "sts.eu-west-1.amazonaws.com", "/")
    assert query["Action"] == "GetCallerIdentity"
    assert query["X-Amz-SignedHeaders"] == "host;x-k8s-aws-id"
    assert query["X-Amz-Expires"] == "60"
    assert query["X-Amz-Credential"].endswith("/eu-west-1/sts/aws4_request")


def test_the_signature_is_that_of_boto3_with_http_method_get(monkeypatch):
    import boto3

    moment = NOW
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda **_: moment)
    monkeypatch.setattr("multicluster.kinds.eks.token_source.datetime", type("Frozen", (), {"now": lambda _: moment}))
    sts = boto3.session.Session(KEY.access_key, KEY.secret_key, KEY.token, "us-east-1").client(
        "sts", endpoint_url="https://sts.us-east-1.amazonaws.com"
    )
    sts.meta.events.register(
        "before-sign.sts.GetCallerIdentity", lambda request, **_: request.headers.add_header("x-k8s-aws-id", "gpu")
    )
    theirs = sts.generate_presigned_url("get_caller_identity", ExpiresIn=60, HttpMethod="GET")

    ours = url_of(sign(KEY, cluster_name="gpu", region="us-east-1"))

    assert parse_qs(urlsplit(ours).query) == parse_qs(urlsplit(theirs).query)


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("us-east-1", "sts.us-east-1.amazonaws.com"),
        ("mx-central-1", "sts.mx-central-1.amazonaws.com"),
        ("cn-north-1", "sts.cn-north-1.amazonaws.com.cn"),
        ("us-gov-west-1", "sts.us-gov-west-1.amazonaws.com"),
        ("us-iso-east-1", "sts.us-iso-east-1.c2s.ic.gov"),
        ("us-isob-east-1", "sts.us-isob-east-1.sc2s.sgov.gov"),
        ("eu-isoe-west-1", "sts.eu-isoe-west-1.cloud.adc-e.uk"),
        ("us-isof-south-1", "sts.us-isof-south-1.csp.hci.ic.gov"),
        ("eusc-de-east-1", "sts.eusc-de-east-1.amazonaws.eu"),
    ],
)
def test_the_host_is_the_canonical_one_whatever_the_environment_says(region, host, monkeypatch, tmp_path):
    config = tmp_path / "config"
    config.write_text("[default]\nendpoint_url = https://evil.example\nsts_regional_endpoints = legacy\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://evil.example")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "https://evil.example")
    monkeypatch.setenv("AWS_STS_REGIONAL_ENDPOINTS", "legacy")
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")
    monkeypatch.setenv("AWS_USE_DUALSTACK_ENDPOINT", "true")
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))

    signed = urlsplit(url_of(sign(KEY, cluster_name="gpu", region=region))).netloc

    assert (sts_host(region), signed) == (host, host)


def test_a_region_of_no_known_partition_is_refused():
    with pytest.raises(CredentialError, match="moon-base-1"):
        sts_host("moon-base-1")


def test_a_token_is_good_for_fourteen_minutes_less_two():
    assert source().mint().expires_at == NOW + dt.timedelta(minutes=12)


def test_pain_01_a_token_signed_by_credentials_that_end_in_three_minutes_is_renewed_before_that():
    now = [NOW]
    ends = [NOW + dt.timedelta(minutes=3)]
    key = lambda: SigningKey(access_key="A", secret_key="S", expires_at=ends[-1])  # noqa: E731
    tokens = CachedTokens(source(key, clock=lambda: now[0]), clock=lambda: now[0])
    first = tokens.token()
    now[0] = NOW + dt.timedelta(seconds=59)
    still = tokens.token()
    ends.append(NOW + dt.timedelta(hours=1))
    now[0] = NOW + dt.timedelta(seconds=61)
    renewed = tokens.token()

    assert still is first
    assert renewed is not first
    assert renewed.expires_at == now[0] + dt.timedelta(minutes=12)


def test_a_token_of_more_than_4096_bytes_is_refused_with_a_way_out():
    long = SigningKey(access_key="A", secret_key="S", token="t" * 3000)

    with pytest.raises(CredentialError, match=r"'gpu-use1'.* bytes, and EKS accepts 4096.*fewer session tags"):
        source(lambda: long).mint()


def test_pain_08_the_debug_log_holds_no_token_and_no_secret(caplog):
    caplog.set_level(logging.DEBUG)

    token = source().mint()

    signature = parse_qs(urlsplit(url_of(token.value)).query)["X-Amz-Signature"][0]
    assert not [word for word in (token.value, signature, "canary") if word in caplog.text]
    assert not [word for word in (token.value, "canary") if word in repr((token, KEY))]


def test_pain_08_signing_leaves_the_environment_alone(monkeypatch):
    before = dict(os.environ)

    source().mint()

    assert dict(os.environ) == before


def test_pain_08_two_threads_sign_at_once_each_with_its_own_key_and_without_a_subprocess(monkeypatch):
    before, together = dict(os.environ), threading.Barrier(2)
    monkeypatch.setattr("subprocess.Popen", lambda *_, **__: pytest.fail("a subprocess was started"))
    monkeypatch.setattr("os.fork", lambda: pytest.fail("the process was forked"))
    keys = {
        region: SigningKey(access_key=f"AKID-{region}", secret_key=f"canary-{region}", token=f"canary-{region}")
        for region in ("us-east-1", "eu-west-1")
    }

    def mint(region):
        def key():
            together.wait(timeout=60)  # the other one signs now, too
            return keys[region]

        return [url_of(source(key, cluster_name=region, region=region).mint().value) for _ in range(20)]

    with ThreadPoolExecutor(2) as pool:
        minted = dict(zip(keys, pool.map(mint, keys), strict=True))

    for region, urls in minted.items():
        for url in map(urlsplit, urls):
            query = {name: value[0] for name, value in parse_qs(url.query).items()}
            assert url.netloc == f"sts.{region}.amazonaws.com"
            assert query["X-Amz-Credential"].split("/")[::2] == [f"AKID-{region}", region, "aws4_request"]
            assert query["X-Amz-Security-Token"] == f"canary-{region}"
    assert dict(os.environ) == before


def test_two_tokens_of_one_second_are_the_same_bytes(monkeypatch):
    monkeypatch.setattr("multicluster.kinds.eks.token_source.datetime", type("Frozen", (), {"now": lambda _: NOW}))

    assert source().mint().value == source().mint().value
