"""The API server of an EKS cluster asks the verifier, and access entries say who comes in."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import boto3
import pytest
from kubernetes import client as k8s
from kubernetes.client.exceptions import ApiException

from multicluster.simulator import World
from multicluster.simulator.aws.clusters import AccessEntry, EksCluster


def mint(session: boto3.Session, cluster: str, region: str = "us-east-1") -> str:
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    sts = session.client("sts", region_name=region, endpoint_url=f"https://sts.{region}.{suffix}")
    sts.meta.events.register(
        "before-sign.sts.GetCallerIdentity", lambda request, **_: request.headers.__setitem__("x-k8s-aws-id", cluster)
    )
    url = sts.generate_presigned_url("get_caller_identity", ExpiresIn=60, HttpMethod="GET")
    return "k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


def whoami(cluster: EksCluster, token: str, folder: Path) -> k8s.V1UserInfo:
    ca = folder / "ca.pem"
    ca.write_bytes(cluster.kubernetes.ca_pem)
    configuration = k8s.Configuration()
    configuration.host, configuration.ssl_ca_cert = cluster.kubernetes.url, str(ca)
    configuration.api_key = dict.fromkeys(("authorization", "BearerToken"), f"Bearer {token}")
    with k8s.ApiClient(configuration) as api:
        return k8s.AuthenticationV1Api(api).create_self_subject_review({}).status.user_info


@pytest.fixture
def session(env: dict[str, str]) -> boto3.Session:
    return boto3.Session()


def test_every_identity_of_the_account_is_an_admin_by_default(
    world: World, session: boto3.Session, tmp_path: Path
) -> None:
    cluster = world.add_eks("gpu")

    user = whoami(cluster, mint(session, "gpu"), tmp_path)

    assert user.username == "arn:aws:iam::111122223333:user/airflow"
    assert "system:masters" in user.groups


def test_an_access_entry_names_the_user_and_its_groups(world: World, session: boto3.Session, tmp_path: Path) -> None:
    cluster = world.add_eks("gpu")
    cluster.everyone_is_admin = False
    role = "arn:aws:iam::111122223333:role/airflow-gpu"
    cluster.access[role] = AccessEntry(username="airflow:{{SessionName}}", groups=("airflow-kpo",))
    taken = session.client("sts").assume_role(RoleArn=role, RoleSessionName="dag@run")["Credentials"]
    assumed = boto3.Session(taken["AccessKeyId"], taken["SecretAccessKey"], taken["SessionToken"])

    user = whoami(cluster, mint(assumed, "gpu"), tmp_path)

    assert user.username == "airflow:dag-run"
    assert "airflow-kpo" in user.groups


def test_an_identity_without_an_entry_gets_401(world: World, session: boto3.Session, tmp_path: Path) -> None:
    cluster = world.add_eks("gpu")
    cluster.everyone_is_admin = False

    with pytest.raises(ApiException) as error:
        whoami(cluster, mint(session, "gpu"), tmp_path)

    assert error.value.status == 401
    assert world.aws.tokens.refused == ["ARN is not mapped: arn:aws:iam::111122223333:user/airflow"]


def test_the_token_of_one_cluster_does_not_open_another(world: World, session: boto3.Session, tmp_path: Path) -> None:
    world.add_eks("gpu")
    other = world.add_eks("cpu")

    with pytest.raises(ApiException) as error:
        whoami(other, mint(session, "gpu"), tmp_path)

    assert error.value.status == 401


def test_a_cluster_of_another_account_is_entered_by_a_role_of_that_account(
    world: World, session: boto3.Session, tmp_path: Path
) -> None:
    cluster = world.add_eks("foreign", account="444455556666")
    role = "arn:aws:iam::444455556666:role/airflow-gpu"
    taken = session.client("sts").assume_role(RoleArn=role, RoleSessionName="run")["Credentials"]
    assumed = boto3.Session(taken["AccessKeyId"], taken["SecretAccessKey"], taken["SessionToken"])

    user = whoami(cluster, mint(assumed, "foreign"), tmp_path)

    assert user.username == "arn:aws:sts::444455556666:assumed-role/airflow-gpu/run"
    with pytest.raises(ApiException):
        whoami(cluster, mint(session, "foreign"), tmp_path)


def test_tokens_that_expire_now_are_refused_once_and_the_next_one_is_taken(
    world: World, session: boto3.Session, tmp_path: Path
) -> None:
    cluster = world.add_eks("gpu")
    token = mint(session, "gpu")
    whoami(cluster, token, tmp_path)
    world.inject("tokens-expire")

    with pytest.raises(ApiException) as error:
        whoami(cluster, token, tmp_path)

    assert error.value.status == 401
    assert whoami(cluster, mint(session, "gpu"), tmp_path).username.endswith("user/airflow")
    report: Any = world.report().aws
    assert report.tokens_refused == 1


def test_distinct_tokens_are_counted(world: World, session: boto3.Session, tmp_path: Path) -> None:
    cluster = world.add_eks("gpu")
    token = mint(session, "gpu")

    for _ in range(3):
        whoami(cluster, token, tmp_path)

    report = world.report().aws
    assert (report.tokens_verified, report.tokens_seen) == (3, 1)


def test_a_cluster_in_another_partition_wants_that_partitions_host(
    world: World, session: boto3.Session, tmp_path: Path
) -> None:
    cluster = world.add_eks("gpu", "cn-north-1")

    user = whoami(cluster, mint(session, "gpu", "cn-north-1"), tmp_path)

    assert user.username.endswith("user/airflow")
    assert cluster.arn.startswith("arn:aws-cn:eks:cn-north-1:")
    with pytest.raises(ApiException):
        whoami(cluster, mint(session, "gpu"), tmp_path)
