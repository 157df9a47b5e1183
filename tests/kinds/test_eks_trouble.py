"""AWS credentials fail in time, in our own errors, and stand in no log."""

from __future__ import annotations

import logging
import threading
import time

import pytest

from multicluster.access.kind import ClusterContext, Network
from multicluster.errors import ClusterUnreachableError, CredentialError, CredentialUnavailableError
from multicluster.kinds.eks.access import EksAccess
from multicluster.kinds.eks.discretion import LEFT_OUT, LOGGERS, discretion
from multicluster.kinds.eks.options import AwsCredentials, AwsRole, EksOptions

ROLE = "arn:aws:iam::111122223333:role/airflow"


@pytest.fixture
def gpu(world, enter):
    cluster = world.add_eks("gpu")
    enter()
    return cluster


def open_cluster(connection=None, **credentials):
    if connection is not None:
        credentials["connection"] = "c"
    options = EksOptions(cluster_name="gpu", region="us-east-1", credentials=AwsCredentials(**credentials))
    network = Network(connect_timeout=0.2, read_timeout=0.4)
    return EksAccess(options, ClusterContext(name="gpu", network=network, connection=lambda _: connection))


@pytest.mark.usefixtures("gpu")
def test_no_debug_log_holds_a_key_or_a_session_token(world, caplog):
    hop = world.aws.iam.add_role("hop")
    last = world.aws.iam.add_role("last", trust=[hop.arn], external_id="canary-external")
    roles = (AwsRole(role_arn=hop.arn), AwsRole(role_arn=last.arn, external_id="canary-external"))
    caplog.set_level(logging.DEBUG)
    for name in ("botocore", "boto3", "urllib3"):
        caplog.set_level(logging.DEBUG, name)
    access = open_cluster(roles=roles)

    token = access.tokens.token()
    access.endpoint()
    world.inject("server-error", operation="DescribeCluster", times=1)
    access.endpoint(fresh=True)
    list(access.node_pools().list())

    keys = world.aws.iam.keys.values()
    secrets = {key.secret for key in keys} | {key.session_token for key in keys} | {token.value, "canary-external"}
    assert len(secrets - {None}) > 5
    assert not [record.name for record in caplog.records for secret in secrets - {None} if secret in words(record)]
    assert LEFT_OUT in caplog.text


def words(record):
    return f"{record.getMessage()} {record.args!r} {record.exc_text or ''}"


def test_discretion_is_over_when_it_is_over_and_is_one_threads_own(caplog):
    caplog.set_level(logging.DEBUG, "botocore.auth")
    log = logging.getLogger("botocore.auth")
    with discretion():
        log.debug("mine %s", "secret")
        other = threading.Thread(target=log.debug, args=("another's",))
        other.start()
        other.join()
        with discretion():
            log.debug("nested")
        log.debug("still")
    log.debug("after")

    assert caplog.messages == [LEFT_OUT, "another's", LEFT_OUT, LEFT_OUT, "after"]
    assert not [name for name in LOGGERS if logging.getLogger(name).filters]


@pytest.mark.usefixtures("gpu")
def test_a_description_that_nobody_answers_costs_the_time_outs_once(silent, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_EKS", f"https://127.0.0.1:{silent.port}")
    access = open_cluster()
    access.tokens.token()

    with pytest.raises(ClusterUnreachableError, match="DescribeCluster of 'gpu'"):
        access.endpoint()
    assert silent.connections() == 1


@pytest.mark.usefixtures("gpu")
def test_a_role_that_nobody_hands_out_costs_the_time_outs_once(world, silent, monkeypatch):
    open_cluster(roles=(AwsRole(role_arn=world.aws.iam.add_role("other").arn),)).tokens.token()  # botocore's files
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", f"https://127.0.0.1:{silent.port}")
    access = open_cluster(roles=(AwsRole(role_arn=ROLE),))

    with pytest.raises(CredentialUnavailableError, match="role/airflow"):
        access.tokens.token()
    assert silent.connections() == 1


@pytest.fixture
def process(gpu, tmp_path, monkeypatch):
    def configure(command):
        file = tmp_path / "aws"
        file.write_text(f"[profile p]\ncredential_process = {command}\n")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        return open_cluster(profile="p")

    return configure


@pytest.mark.parametrize(
    "command",
    [
        "echo canary",
        "echo [1]",
        "echo 5",
        "echo {}",
        """sh -c 'echo "{\\"Version\\": 1}"'""",
        "sh -c 'echo canary >&2; exit 3'",
        "/nowhere/canary",
    ],
)
def test_a_credential_process_that_fails_is_not_quoted(process, command):
    with pytest.raises(CredentialError, match=r"credential_process.*by hand") as caught:
        process(command).tokens.token()
    assert "canary" not in str(caught.value) + str(caught.value.__cause__)


def test_a_credential_process_that_hangs_is_killed(process, monkeypatch):
    monkeypatch.setattr("multicluster.kinds.eks.credential_process.TIME_LIMIT_SECONDS", 0.3)
    started = time.monotonic()

    with pytest.raises(CredentialError, match="took too long"):
        process("sleep 30").tokens.token()
    assert time.monotonic() - started < 25


def test_a_credential_process_that_works_is_used(process):
    answer = '{\\"Version\\": 1, \\"AccessKeyId\\": \\"AKIAP\\", \\"SecretAccessKey\\": \\"s\\"}'

    assert "AKIAP" in process(f"""sh -c 'echo "{answer}"'""").tokens.token().subject


def test_a_pods_missing_token_file_is_a_credential_error(gpu, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_ROLE_ARN", ROLE)
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere/token")

    with pytest.raises(CredentialError, match="/nowhere/token"):
        open_cluster().tokens.token()


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"session_kwargs": {"aws_access_key_id": "canary"}}, "session_kwargs aws_access_key_id is not understood"),
        ({"session_kwargs": "canary"}, "session_kwargs must be a JSON object"),
        ({"session_kwargs": {"profile_name": 5}}, "profile_name must be a text"),
        ({"role_arn": ROLE, "assume_role_kwargs": "canary"}, "assume_role_kwargs must be a JSON object"),
        ({"role_arn": ROLE, "external_id": "Z"}, "externalId|external_id"),
        ({"role_arn": "nope", "external_id": "canary"}, "roleArn|role_arn"),
        ({"role_arn": ROLE, "external_id": {"a": "canary"}}, "externalId|external_id"),
        ({"role_arn": ROLE, "assume_role_kwargs": {"RoleSessionName": "canary canary"}}, "sessionName|session_name"),
    ],
)
def test_a_connection_of_another_shape_is_a_credential_error_that_quotes_nothing(gpu, extra, message):
    with pytest.raises(CredentialError, match=message) as caught:
        open_cluster({"conn_type": "aws", "extra": extra}).tokens.token()
    assert not [word for word in ("canary", "'Z'", "input_value") if word in str(caught.value)]
    assert caught.value.__cause__ is None
