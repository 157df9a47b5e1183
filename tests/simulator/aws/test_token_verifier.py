"""The 37 URLs of which it was measured what AWS's own verifier (v0.7.13) and STS say."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Callable

import boto3
import botocore.auth
import botocore.session
import pytest
from botocore.credentials import Credentials
from botocore.signers import RequestSigner

from multicluster.simulator.aws.identities import AccessKey, Iam
from multicluster.simulator.aws.token_verifier import TokenRefusedError, TokenVerifier

CLUSTER, REGION = "prod", "eu-west-1"
NOW = dt.datetime(2026, 11, 21, 12, 0, 0, tzinfo=dt.UTC)
EVENTS = botocore.session.get_session().get_component("event_emitter")
SERVICE = boto3.Session(region_name=REGION).client("sts", aws_access_key_id="x", aws_secret_access_key="x")


def wrap(url: str) -> str:
    return "k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


def unwrap(token: str) -> str:
    return base64.urlsafe_b64decode(token.removeprefix("k8s-aws-v1.") + "==").decode()


class Signer:
    """Sign as an in-process token source does; `age` moves the signature's clock back."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch
        self.iam = Iam(lambda: NOW)
        self.role = self.session(300)
        self.alice = self.iam.add_user("alice")

    def session(self, token_bytes: int, seconds: float = 3600) -> AccessKey:
        role = self.iam.add_role("ml-runner", session_token_bytes=token_bytes)
        return self.iam.open_session(role, "airflow-worker", seconds)

    def sign(
        self,
        key: AccessKey | None = None,
        *,
        cluster: str = CLUSTER,
        region: str = REGION,
        host: str = "",
        age: float = 0,
        expires: int = 60,
        method: str = "GET",
        header: bool = True,
        secret: str = "",
    ) -> str:
        key = key or self.role
        credentials = Credentials(key.id, secret or key.secret, key.session_token)
        signer = RequestSigner(SERVICE.meta.service_model.service_id, region, "sts", "v4", credentials, EVENTS)
        then = (NOW - dt.timedelta(seconds=age)).replace(tzinfo=None)
        self.monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_: then)
        request = {
            "method": method,
            "url": f"https://{host or f'sts.{region}.amazonaws.com'}/?Action=GetCallerIdentity&Version=2011-06-15",
            "body": {},
            "headers": {"x-k8s-aws-id": cluster} if header else {},
            "context": {},
        }
        return wrap(signer.generate_presigned_url(request, region_name=region, expires_in=expires, operation_name=""))

    def verdict(self, token: str, partition: str = "aws") -> str:
        verifier = TokenVerifier(cluster_id=CLUSTER, iam=self.iam, now=lambda: NOW, partition=partition)
        try:
            return verifier.verify(token).arn
        except TokenRefusedError as refusal:
            return str(refusal)


@pytest.fixture
def signer(monkeypatch: pytest.MonkeyPatch) -> Signer:
    return Signer(monkeypatch)


def boto_client(s: Signer, method: str | None) -> str:
    key = s.role
    client = boto3.Session(key.id, key.secret, key.session_token).client("sts", region_name=REGION)
    client.meta.events.register(
        "before-sign.sts.GetCallerIdentity", lambda request, **_: request.headers.__setitem__("x-k8s-aws-id", CLUSTER)
    )
    s.sign()  # sets the clock
    extra = {"HttpMethod": method} if method else {}
    return wrap(client.generate_presigned_url("get_caller_identity", ExpiresIn=60, **extra))


def padded(s: Signer) -> str:
    url = unwrap(s.sign())
    while len(url) % 3 == 0:
        url += " "
    return "k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode()


def tampered(s: Signer) -> str:
    url = unwrap(s.sign())
    return wrap(url[:-1] + ("0" if url[-1] != "0" else "1"))


def changed(s: Signer, before: str, after: str) -> str:
    return wrap(unwrap(s.sign()).replace(before, after, 1))


def unknown_key(s: Signer) -> str:
    return s.sign(AccessKey(id="AKIANOTKNOWN00000000", secret="x" * 40, principal=s.alice.principal))


SESSION = "arn:aws:sts::111122223333:assumed-role/ml-runner/airflow-worker"
STS = "sts getCallerIdentity failed: error from AWS (expected 200, got 403). Body: "
MISMATCH = STS + "SignatureDoesNotMatch: The request signature we calculated"
ACCEPTED: dict[str, Callable[[Signer], str]] = {
    "role": lambda s: s.sign(),
    "boto3 client, HttpMethod GET": lambda s: boto_client(s, "GET"),
    "global host, scope us-east-1": lambda s: s.sign(region="us-east-1", host="sts.amazonaws.com"),
    "another region's host": lambda s: s.sign(region="us-east-1"),
    "a newer region's host": lambda s: s.sign(region="mx-central-1"),
    "a region that is none": lambda s: s.sign(region="xx-moon-9"),
    "FIPS host": lambda s: s.sign(region="us-east-1", host="sts-fips.us-east-1.amazonaws.com"),
    "dual-stack host": lambda s: s.sign(host=f"sts.{REGION}.api.aws"),
    "signed 14 min 58 s ago": lambda s: s.sign(age=898),
    "signed 14 minutes ahead": lambda s: s.sign(age=-840),
    "X-Amz-Expires 900": lambda s: s.sign(expires=900),
    "X-Amz-Expires 1, 5 minutes old": lambda s: s.sign(expires=1, age=300),
    "long session token": lambda s: s.sign(s.session(2000)),
}
REFUSED: dict[str, tuple[Callable[[Signer], str], str]] = {
    "boto3 client, HttpMethod left out": (lambda s: boto_client(s, None), MISMATCH),
    "other cluster's token": (lambda s: s.sign(cluster="dev"), MISMATCH),
    "x-k8s-aws-id not signed": (lambda s: s.sign(header=False), "client did not sign the x-k8s-aws-id header"),
    "wrong secret": (lambda s: s.sign(secret="x" * 40), MISMATCH),
    "unknown access key": (unknown_key, STS + "InvalidClientTokenId: "),
    "session credentials ended": (lambda s: s.sign(s.session(300, -1)), STS + "ExpiredToken: "),
    "global host, another scope": (
        lambda s: s.sign(host="sts.amazonaws.com"),
        STS + "SignatureDoesNotMatch: Credential should be scoped",
    ),
    "China host": (
        lambda s: s.sign(region="cn-north-1", host="sts.cn-north-1.amazonaws.com.cn"),
        'partition "aws" does not support hostname',
    ),
    "VPC endpoint host": (
        lambda s: s.sign(host=f"vpce-0abc-def.sts.{REGION}.vpce.amazonaws.com"),
        'partition "aws" does not support hostname',
    ),
    "local endpoint": (lambda s: s.sign(host="localhost:4566"), 'partition "aws" does not support hostname'),
    "host with port": (
        lambda s: s.sign(host=f"sts.{REGION}.amazonaws.com:443"),
        'partition "aws" does not support hostname',
    ),
    "signed 15 min 1 s ago": (lambda s: s.sign(age=901), "X-Amz-Date parameter is expired (15 minute expiration)"),
    "signed 16 minutes ahead": (lambda s: s.sign(age=-960), STS + "SignatureDoesNotMatch: Signature not yet current"),
    "X-Amz-Expires 901": (lambda s: s.sign(expires=901), "invalid X-Amz-Expires parameter"),
    "signature changed": (tampered, MISMATCH),
    "host changed": (lambda s: changed(s, f"//sts.{REGION}", "//sts.us-east-1"), STS + "SignatureDoesNotMatch: "),
    "action changed": (
        lambda s: changed(s, "GetCallerIdentity", "GetSessionToken"),
        "unexpected action parameter in pre-signed URL",
    ),
    "parameter added": (lambda s: wrap(unwrap(s.sign()) + "&DurationSeconds=1"), "non-whitelisted query parameter"),
    "parameter repeated": (
        lambda s: wrap(unwrap(s.sign()) + "&x-amz-expires=60"),
        "query parameter with multiple values not supported",
    ),
    "http": (lambda s: changed(s, "https", "http"), 'unexpected scheme "http" in pre-signed URL'),
    "path": (lambda s: changed(s, "/?", "/x?"), "unexpected path in pre-signed URL"),
    "base64 padding kept": (padded, "illegal base64 data"),
    "no prefix": (lambda s: s.sign()[11:], 'token is missing expected "k8s-aws-v1." prefix'),
    "longer session token": (lambda s: s.sign(s.session(2040)), "token is too large"),
    "empty": (lambda _: "", 'token is missing expected "k8s-aws-v1." prefix'),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_token_that_aws_accepts_is_accepted(signer: Signer, name: str) -> None:
    token = ACCEPTED[name](signer)

    assert signer.verdict(token) == SESSION


@pytest.mark.parametrize("name", REFUSED)
def test_a_token_that_aws_refuses_is_refused_for_the_same_reason(signer: Signer, name: str) -> None:
    make, reason = REFUSED[name]

    verdict = signer.verdict(make(signer))

    assert verdict.startswith(reason)


def test_an_iam_user_is_named_by_its_own_arn(signer: Signer) -> None:
    verdict = signer.verdict(signer.sign(signer.alice))

    assert verdict == "arn:aws:iam::111122223333:user/alice"


@pytest.mark.parametrize(
    ("partition", "host"),
    [
        ("aws-cn", "sts.cn-north-1.amazonaws.com.cn"),
        ("aws-us-gov", "sts.us-gov-west-1.amazonaws.com"),
        ("aws-iso", "sts.us-iso-east-1.c2s.ic.gov"),
        ("aws-iso-b", "sts.us-isob-east-1.sc2s.sgov.gov"),
    ],
)
def test_each_partition_has_its_own_hosts(signer: Signer, partition: str, host: str) -> None:
    token = signer.sign(region=host.split(".")[1], host=host)

    assert signer.verdict(token, partition) == SESSION


def test_the_global_host_belongs_to_one_partition(signer: Signer) -> None:
    token = signer.sign(region="us-east-1", host="sts.amazonaws.com")

    assert signer.verdict(token, "aws-us-gov").startswith('partition "aws-us-gov" does not support hostname')


def test_the_partitions_are_those_of_botocore() -> None:
    import json
    from importlib.resources import files

    from multicluster.simulator.aws.token_verifier import PARTITIONS

    known = json.loads((files("botocore") / "data" / "partitions.json").read_text())["partitions"]

    expected = {p["id"]: (p["outputs"]["dnsSuffix"], p["outputs"]["dualStackDnsSuffix"]) for p in known}
    assert expected == PARTITIONS
