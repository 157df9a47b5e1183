from __future__ import annotations

import botocore.session
import pytest

from multicluster.access.kind import Network, no_connections
from multicluster.kinds.eks.options import AwsCredentials, EksOptions
from multicluster.kinds.eks.session import aws_session, whose

CHAIN = """{"clusterName": "gpu", "region": "us-east-1", "credentials": {"roles": [
    {"roleArn": "arn:aws:iam::111122223333:role/a"},
    {"roleArn": "arn:aws:iam::111122223333:role/b", "durationSeconds": 43200}]}}"""


@pytest.fixture
def session(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    return aws_session(
        AwsCredentials(), region="eu-west-1", connections=no_connections, name="gpu", network=Network(read_timeout=7)
    )


def handlers(core, event):
    return len(list(core.get_component("event_emitter")._emitter._handlers.prefix_search(event)))


@pytest.mark.parametrize(
    "event", ["choose-signer.sts.AssumeRoleWithWebIdentity", "before-parameter-build.eks.X", "creating-client-class"]
)
def test_a_client_of_the_session_finds_all_of_botocores_handlers(session, event):
    stock = botocore.session.Session()
    stock.create_client("sts", region_name="eu-west-1")
    client = session.create_client("sts")

    assert handlers(session, event) == handlers(stock, event)
    assert client.meta.region_name == "eu-west-1"


def test_clients_have_the_clusters_time_outs_and_retries(session):
    config = session.create_client("eks").meta.config

    assert (config.connect_timeout, config.read_timeout, config.retries["total_max_attempts"]) == (5, 7, 4)


def test_signing_needs_no_client(session, monkeypatch):
    monkeypatch.setattr("botocore.session.Session.create_client", lambda *_, **__: pytest.fail("a client was made"))

    assert session.get_credentials().get_frozen_credentials().access_key == "AKIA"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "the default AWS credentials"),
        ({"profile": "train"}, "AWS profile 'train'"),
        ({"connection": "aws_gpu"}, "the connection 'aws_gpu'"),
    ],
)
def test_an_identity_is_named_without_asking_aws(options, words):
    assert whose(AwsCredentials(**options)) == words


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ('{"clusterName": "gpu"}', "region"),
        ('{"clusterName": "gpu", "region": "us-east-1", "tokenFormat": "v2"}', "tokenFormat"),
        ('{"clusterName": "gpu", "region": "nowhere"}', "region"),
        ('{"clusterName": "gpu", "region": "us-east-1", "certificateAuthorityData": "Q0E="}', "base64 of a PEM"),
        ('{"clusterName": "gpu", "region": "us-east-1", "certificateAuthorityData": "%%%"}', "base64 of a PEM"),
        ('{"clusterName": "gpu", "region": "us-east-1", "endpoint": "http://x"}', "endpoint"),
        (
            '{"clusterName": "gpu", "region": "us-east-1", "credentials": {"profile": "a", "connection": "b"}}',
            "exclude each other",
        ),
        (
            '{"clusterName": "gpu", "region": "us-east-1", "credentials": {"roles": [{"roleArn": "airflow"}]}}',
            "roleArn",
        ),
        (
            CHAIN,
            "43200 is more than the 3600",
        ),
    ],
)
def test_options_that_cannot_work_are_refused(document, words):
    with pytest.raises(ValueError, match=words):
        EksOptions.model_validate_json(document)
