"""STS and the signatures in front of everything."""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.auth
import pytest
import urllib3
from botocore.exceptions import ClientError

from multicluster.simulator import ManualClock, World

ROLE = "arn:aws:iam::111122223333:role/"


def refusal(error: pytest.ExceptionInfo[ClientError]) -> str:
    return error.value.response["Error"]["Code"]


def session_of(credentials: dict[str, Any]) -> boto3.Session:
    return boto3.Session(credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"])


def test_the_caller_is_the_worlds_user(client: Any) -> None:
    identity = client("sts").get_caller_identity()

    assert identity["Arn"] == "arn:aws:iam::111122223333:user/airflow"
    assert identity["Account"] == "111122223333"


def test_a_role_session_is_named_after_role_and_session(client: Any) -> None:
    taken = client("sts").assume_role(RoleArn=ROLE + "airflow-gpu", RoleSessionName="run-1")

    identity = session_of(taken["Credentials"]).client("sts").get_caller_identity()

    assert identity["Arn"] == "arn:aws:sts::111122223333:assumed-role/airflow-gpu/run-1"
    assert identity["UserId"] == taken["AssumedRoleUser"]["AssumedRoleId"]


@pytest.mark.parametrize("role", ["unknown", "gpu-node", "with-id"])
def test_a_role_that_does_not_trust_the_caller_is_denied(world: World, client: Any, role: str) -> None:
    world.aws.iam.add_role("with-id", external_id="acme")

    with pytest.raises(ClientError, match="not authorized to perform: sts:AssumeRole on resource") as error:
        client("sts").assume_role(RoleArn=ROLE + role, RoleSessionName="run-1", ExternalId="other")

    assert refusal(error) == "AccessDenied"


def test_the_external_id_opens_its_role(world: World, client: Any) -> None:
    world.aws.iam.add_role("with-id", external_id="acme")

    taken = client("sts").assume_role(RoleArn=ROLE + "with-id", RoleSessionName="run-1", ExternalId="acme")

    assert taken["Credentials"]["AccessKeyId"].startswith("ASIA")


def test_a_chained_session_lasts_an_hour_at_most(world: World, client: Any) -> None:
    world.aws.iam.add_role("second", max_session_seconds=43200)
    first = session_of(client("sts").assume_role(RoleArn=ROLE + "airflow-gpu", RoleSessionName="a1")["Credentials"])

    with pytest.raises(ClientError, match="exceeds the 1 hour session limit for roles assumed by role chaining"):
        first.client("sts").assume_role(RoleArn=ROLE + "second", RoleSessionName="a2", DurationSeconds=3601)


def test_a_session_is_not_longer_than_its_role_allows(client: Any) -> None:
    with pytest.raises(ClientError, match="exceeds the MaxSessionDuration set for this role"):
        client("sts").assume_role(RoleArn=ROLE + "airflow-gpu", RoleSessionName="a1", DurationSeconds=7200)


def test_an_ended_session_is_expired_everywhere(world: World, client: Any) -> None:
    session = session_of(client("sts").assume_role(RoleArn=ROLE + "airflow-gpu", RoleSessionName="a1")["Credentials"])
    world.inject("sessions-end")

    codes = []
    for service, call in (("sts", "get_caller_identity"), ("eks", "list_clusters"), ("ec2", "describe_instances")):
        with pytest.raises(ClientError) as error:
            getattr(session.client(service), call)()
        codes.append(refusal(error))

    assert codes == ["ExpiredToken", "ExpiredTokenException", "RequestExpired"]


def test_sessions_end_by_the_worlds_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = ManualClock(start=dt.datetime.now(dt.UTC))
    with World(clock=clock) as world:
        for name, value in world.env().items():
            monkeypatch.setenv(name, value)
        sts = boto3.Session().client("sts")
        session = session_of(sts.assume_role(RoleArn=ROLE + "airflow-gpu", RoleSessionName="a1")["Credentials"])
        session.client("sts").get_caller_identity()
        clock.advance(3601)

        with pytest.raises(ClientError) as error:
            session.client("sts").get_caller_identity()

        assert refusal(error) == "ExpiredToken"


@pytest.mark.parametrize(
    ("service", "call", "code"),
    [
        ("sts", "get_caller_identity", "SignatureDoesNotMatch"),
        ("eks", "list_clusters", "InvalidSignatureException"),
        ("autoscaling", "describe_auto_scaling_groups", "SignatureDoesNotMatch"),
        ("scheduler", "list_schedules", "InvalidSignatureException"),
    ],
)
def test_a_wrong_secret_is_refused_in_the_services_own_words(
    env: dict[str, str], service: str, call: str, code: str
) -> None:
    session = boto3.Session(env["AWS_ACCESS_KEY_ID"], "wrong", region_name="us-east-1")

    with pytest.raises(ClientError, match="The request signature we calculated does not match") as error:
        getattr(session.client(service), call)()

    assert refusal(error) == code


@pytest.mark.parametrize(
    ("service", "call", "code"),
    [
        ("sts", "get_caller_identity", "InvalidClientTokenId"),
        ("eks", "list_clusters", "UnrecognizedClientException"),
        ("ec2", "describe_instances", "AuthFailure"),
    ],
)
def test_an_unknown_key_is_refused(env: dict[str, str], service: str, call: str, code: str) -> None:
    session = boto3.Session("AKIANOBODY", "secret", region_name="us-east-1")

    with pytest.raises(ClientError) as error:
        getattr(session.client(service), call)()

    assert refusal(error) == code


def test_a_session_token_must_travel_with_its_key(client: Any) -> None:
    taken = client("sts").assume_role(RoleArn=ROLE + "airflow-gpu", RoleSessionName="a1")["Credentials"]
    session = boto3.Session(taken["AccessKeyId"], taken["SecretAccessKey"], "another", region_name="us-east-1")

    with pytest.raises(ClientError) as error:
        session.client("eks").list_clusters()

    assert refusal(error) == "UnrecognizedClientException"


@pytest.mark.parametrize(("minutes", "text"), [(-6, "Signature expired"), (6, "Signature not yet current")])
def test_a_clock_off_by_more_than_five_minutes_is_refused(
    client: Any, monkeypatch: pytest.MonkeyPatch, minutes: int, text: str
) -> None:
    then = dt.datetime.now(dt.UTC).replace(tzinfo=None) + dt.timedelta(minutes=minutes)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_: then)

    with pytest.raises(ClientError, match=text):
        client("eks").list_clusters()


def test_clock_skew_can_be_injected(world: World, client: Any) -> None:
    world.inject("clock-skew", seconds="600")

    with pytest.raises(ClientError, match="Signature expired"):
        client("sts").get_caller_identity()


def test_a_projected_token_opens_a_session_without_a_signature(world: World, client: Any) -> None:
    world.aws.iam.add_role("irsa", trust=["system:serviceaccount:airflow:worker"])
    claims = {
        "sub": "system:serviceaccount:airflow:worker",
        "aud": "sts.amazonaws.com",
        "iss": "https://oidc",
        "exp": 4e9,
    }
    token = "e30." + base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=") + ".c2ln"

    taken = client("sts").assume_role_with_web_identity(
        RoleArn=ROLE + "irsa", RoleSessionName="pod", WebIdentityToken=token
    )

    assert taken["SubjectFromWebIdentityToken"] == "system:serviceaccount:airflow:worker"
    assert session_of(taken["Credentials"]).client("sts").get_caller_identity()["Arn"].endswith("/irsa/pod")


def ask_as_a_verifier(world: World, url: str, host: str) -> tuple[int, dict[str, Any]]:
    """Send a presigned request under the host's true name, as the token verifier of a control plane does."""
    address = urlsplit(world.aws_url)
    pool = urllib3.HTTPSConnectionPool(
        address.hostname, address.port, server_hostname=host, assert_hostname=host, ca_cert_data=world.ca.pem.decode()
    )
    target = "/?" + urlsplit(url).query
    answer = pool.request("GET", target, headers={"Host": host, "Accept": "application/json"}, retries=False)
    return answer.status, answer.json()


def presigned(session: boto3.Session, region: str) -> str:
    sts = session.client("sts", region_name=region, endpoint_url=f"https://sts.{region}.amazonaws.com")
    return sts.generate_presigned_url("get_caller_identity", HttpMethod="GET")


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
def test_a_verifier_gets_json_under_the_true_name(world: World, client: Any, region: str) -> None:
    taken = client("sts").assume_role(RoleArn=ROLE + "airflow-gpu", RoleSessionName="run-1")
    url = presigned(session_of(taken["Credentials"]), region)

    status, body = ask_as_a_verifier(world, url, f"sts.{region}.amazonaws.com")

    result = body["GetCallerIdentityResponse"]["GetCallerIdentityResult"]
    assert status == 200
    assert result["Arn"] == "arn:aws:sts::111122223333:assumed-role/airflow-gpu/run-1"
    assert re.fullmatch(r"AROA[0-9A-F]{17}:run-1", result["UserId"])


def test_a_verifier_is_refused_in_json(world: World, client: Any) -> None:
    status, body = ask_as_a_verifier(
        world, presigned(boto3.Session(), "us-east-1") + "0", "sts.us-east-1.amazonaws.com"
    )

    assert (status, body["Error"]["Code"], body["Error"]["Type"]) == (403, "SignatureDoesNotMatch", "Sender")


def test_a_verifier_is_throttled_in_json(world: World, client: Any) -> None:
    url = presigned(boto3.Session(), "us-east-1")
    world.inject("throttled", service="sts", operation="GetCallerIdentity", times=1)

    status, body = ask_as_a_verifier(world, url, "sts.us-east-1.amazonaws.com")

    assert (status, body["Error"]["Code"]) == (400, "Throttling")


def test_the_world_has_no_certificate_of_another_service(world: World) -> None:
    with pytest.raises(urllib3.exceptions.SSLError, match=r"eks\.us-east-1\.amazonaws\.com"):
        ask_as_a_verifier(world, "https://x/?Action=GetCallerIdentity", "eks.us-east-1.amazonaws.com")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_presigned_request_to_another_name_is_refused(world: World, client: Any, host: str) -> None:
    status, body = ask_as_a_verifier(world, presigned(boto3.Session(), "us-east-1"), host)

    assert (status, body["Error"]["Code"]) == (403, "SignatureDoesNotMatch")
