"""What a person is told when an EKS cluster refuses our token: the cluster itself says nothing but Unauthorized."""

from __future__ import annotations

import asyncio
import datetime as dt
import socket

import botocore.session
import pytest
from kubernetes_asyncio.client import CoreV1Api as AsyncCoreV1Api

from multicluster.access.async_client import async_client
from multicluster.errors import CredentialError, CredentialUnavailableError
from multicluster.kinds.eks.inquiry import inquire, principal
from multicluster.kinds.eks.options import AwsRole
from multicluster.kinds.eks.token_source import SigningKey

SESSION = "arn:aws:sts::111122223333:assumed-role/airflow/multicluster"
ROLE = "arn:aws:iam::111122223333:role/airflow"


@pytest.fixture
def gpu(world, enter):
    cluster = world.add_eks("gpu")
    cluster.everyone_is_admin = False
    enter()
    return cluster


def refused(api):
    with pytest.raises(CredentialError) as caught:
        api.list_namespace()
    return caught.value


def identity_calls(world):
    return world.report().aws.calls.get("sts:GetCallerIdentity", 0)


def test_an_unmapped_role_is_named_with_the_command_that_looks_for_its_entry(world, gpu, clusters, core):
    world.aws.iam.add_role("airflow")
    error = refused(core(clusters.eks(credentials={"roles": [{"roleArn": ROLE}]})))

    assert f"STS knows the signer as {SESSION}, so key and signature are good" in str(error)
    assert f"EKS cluster 'gpu' has no access entry (and no line in aws-auth) for {ROLE}" in str(error)
    command = "aws eks describe-access-entry --cluster-name gpu --region us-east-1 --principal-arn "
    assert command + ROLE in str(error)
    assert "This machine's clock agrees with the server's." in str(error)
    assert not error.transient
    assert identity_calls(world) == 1


def test_the_asynchronous_client_says_the_same(world, gpu, clusters, core):
    said = str(refused(core(clusters.eks())))

    async def ask():
        async with await async_client(clusters.eks(), name="gpu") as client:
            await AsyncCoreV1Api(client).list_namespace()

    with pytest.raises(CredentialError) as caught:
        asyncio.run(ask())
    assert str(caught.value).partition("STS knows")[2] == said.partition("STS knows")[2] != ""


def test_a_mapped_identity_costs_no_question(world, gpu, clusters, core):
    gpu.everyone_is_admin = True
    world.inject("unauthorized")

    core(clusters.eks()).list_namespace()

    assert identity_calls(world) == 0


def test_a_session_that_is_over_is_told_from_an_unmapped_role(world, gpu, clusters, core):
    world.aws.iam.add_role("airflow")
    api = core(clusters.eks(credentials={"roles": [{"roleArn": ROLE}]}))
    world.inject("sessions-end")

    error = refused(api)

    assert str(error).endswith(
        "STS refuses the signer with ExpiredToken: its session is over: sign in again, or let a role renew it"
    )
    assert "access entry" not in str(error)


@pytest.mark.parametrize("fault", [{"name": "throttled"}, {"name": "server-error"}])
def test_an_sts_in_trouble_makes_the_refusal_transient(world, gpu, clusters, core, fault):
    api = core(clusters.eks())
    world.inject(**fault, service="sts", operation="GetCallerIdentity")

    error = refused(api)

    assert isinstance(error, CredentialUnavailableError)
    assert "STS in us-east-1 refuses for now here, too" in str(error)
    assert identity_calls(world) == 1


def test_an_sts_out_of_reach_makes_the_refusal_transient(gpu, clusters, core, monkeypatch):
    api = core(clusters.eks())
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", f"https://127.0.0.1:{unused.getsockname()[1]}")

        error = refused(api)

    assert isinstance(error, CredentialUnavailableError)
    assert "STS in us-east-1 gave no answer here either (EndpointConnectionError)" in str(error)


def test_a_silent_sts_is_not_waited_for(world, gpu, monkeypatch):
    monkeypatch.setattr("multicluster.kinds.eks.inquiry.READ_SECONDS", 0.2)
    world.inject("slow", service="sts", operation="GetCallerIdentity", seconds="30")
    key = SigningKey(access_key=world.aws.key.id, secret_key=world.aws.key.secret)
    begun = dt.datetime.now(dt.UTC)

    finding = inquire(botocore.session.get_session(), key, cluster_name="gpu", region="us-east-1")

    assert (dt.datetime.now(dt.UTC) - begun).total_seconds() < 5
    assert finding.transient
    assert "ReadTimeoutError" in finding.text


def test_no_secret_stands_in_the_text(world, gpu, clusters, core, caplog):
    caplog.set_level("DEBUG")
    world.aws.iam.add_role("airflow")
    access = clusters.eks(credentials={"roles": [{"roleArn": ROLE}]})

    text = str(refused(core(access))) + caplog.text

    held = list(world.aws.iam.keys.values())
    secrets = [access.tokens.token().value, *(key.secret for key in held), *(key.session_token for key in held)]
    assert [secret for secret in secrets if secret and secret in text] == []


@pytest.mark.parametrize(
    ("arn", "roles", "expected"),
    [
        (SESSION, [], ROLE),
        (
            SESSION,
            ["arn:aws:iam::111122223333:role/teams/ml/airflow"],
            "arn:aws:iam::111122223333:role/teams/ml/airflow",
        ),
        (SESSION, ["arn:aws:iam::111122223333:role/not-airflow"], ROLE),
        (SESSION, ["arn:aws:iam::999999999999:role/airflow"], ROLE),
        ("arn:aws-cn:sts::111122223333:assumed-role/a/b", [], "arn:aws-cn:iam::111122223333:role/a"),
        ("arn:aws:iam::111122223333:user/alice", [], "arn:aws:iam::111122223333:user/alice"),
    ],
)
def test_an_access_entry_is_looked_for_under_the_role(arn, roles, expected):
    assert principal(arn, tuple(AwsRole(role_arn=role) for role in roles)) == expected
