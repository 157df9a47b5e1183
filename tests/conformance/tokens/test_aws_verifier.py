"""Two releases of AWS's own verifier judge the same tokens, and ours."""

from __future__ import annotations

import pytest

from multicluster.kinds.eks.partition import sts_host
from multicluster.kinds.eks.token_source import SigningKey, sign
from multicluster.simulator.aws.sts_hosts import partition_of

from .aws_verifier import MODULES, go
from .signing import CLUSTER, REGION
from .table import ACCEPTED, REFUSED, TOKENS

pytestmark = pytest.mark.testbed
REGIONS = [
    "us-east-1",
    "mx-central-1",
    "cn-north-1",
    "us-gov-west-1",
    "eusc-de-east-1",
    "us-iso-east-1",
    "us-isob-east-1",
    "eu-isoe-west-1",
    "us-isof-south-1",
]
UNKNOWN_TO_V06 = {"aws-eusc", "aws-iso-e", "aws-iso-f"}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", TOKENS)
def test_the_verifier_says_what_the_table_says(verifier, release, signer, name):
    token = TOKENS[name]
    expected = getattr(token, release)

    [said] = verifier.judge([token.make(signer)], cluster=CLUSTER, region=REGION)

    assert said["accepted"] == (expected == ACCEPTED), said
    assert said["accepted"] or expected in said["reason"]


def test_the_verifier_refuses_what_the_second_table_holds(verifier, signer):
    said = verifier.judge([make(signer) for make in REFUSED.values()], cluster=CLUSTER, region=REGION)

    assert [name for name, answer in zip(REFUSED, said, strict=True) if answer["accepted"]] == []


@pytest.mark.parametrize("region", REGIONS)
def test_our_token_is_accepted_in_every_partition_that_the_verifier_knows(verifier, release, signer, region):
    key, partition = signer.role, partition_of(region)
    signing_key = SigningKey(access_key=key.id, secret_key=key.secret, token=key.session_token)
    token = sign(signing_key, cluster_name=CLUSTER, region=region)

    [said] = verifier.judge([token], cluster=CLUSTER, region=region, partition=partition)

    if release == "v06" and partition in UNKNOWN_TO_V06:
        assert f'unexpected hostname "{sts_host(region)}"' in said["reason"]
    else:
        assert said["role"] == "arn:aws:iam::111122223333:role/ml-runner"


@pytest.mark.timeout(900)
def test_the_webhook_passes_its_own_tests(verifier, release):
    done = go("test", f"-modfile={MODULES[release]}", ".")

    assert done.returncode == 0, done.stdout + done.stderr


def test_a_role_session_and_a_user_are_told_apart(verifier, signer):
    tokens = [signer.sign(), signer.sign(signer.alice)]

    said = verifier.judge(tokens, cluster=CLUSTER, region=REGION)

    assert [answer["arn"] for answer in said] == [
        "arn:aws:sts::111122223333:assumed-role/ml-runner/airflow-worker",
        "arn:aws:iam::111122223333:user/alice",
    ]
    assert [answer["role"] for answer in said] == [
        "arn:aws:iam::111122223333:role/ml-runner",
        "arn:aws:iam::111122223333:user/alice",
    ]
