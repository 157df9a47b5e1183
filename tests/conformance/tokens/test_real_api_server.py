"""A real API server that asks AWS's own verifier: our clients come in, RBAC decides, bad tokens are told nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from kubernetes.client import AuthenticationV1Api, CoreV1Api
from kubernetes.client.exceptions import ApiException
from kubernetes_asyncio.client import CoreV1Api as AsyncCoreV1Api

from multicluster.access.async_client import async_client
from multicluster.access.kind import ClusterContext
from multicluster.access.sync_client import sync_client
from multicluster.errors import CredentialError, CredentialUnavailableError
from multicluster.kinds.eks.access import EksAccess
from multicluster.kinds.eks.options import EksOptions
from multicluster.testing.world import NOWHERE, UNSET

from .aws_verifier import NotBuiltError
from .real_cluster import ACCOUNT, GOOGLE_USER, NAMESPACE, RealCluster, message, real_cluster
from .signing import ROLE, Signer
from .table import TOKENS

pytestmark = [pytest.mark.testbed, pytest.mark.timeout(600)]
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
BAD = [
    "other cluster's token",
    "signed 15 min 1 s ago",
    "signature tampered with",
    "VPC endpoint host",
    "x-k8s-aws-id not signed",
    "longer session token, over 4,096 bytes",
]


@pytest.fixture(scope="module")
def cluster(world, signer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealCluster]:
    world.aws.iam.add_role("somebody-else")
    try:
        started = real_cluster(world, tmp_path_factory.mktemp("real"))
        made = started.__enter__()
    except NotBuiltError as reason:
        pytest.skip(str(reason))
    yield made
    started.__exit__(None, None, None)


@pytest.fixture
def access(world, cluster: RealCluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., EksAccess]]:
    """Open the cluster as a registry entry does, in the world's environment."""
    for name in UNSET:
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, NOWHERE)
    for name, value in world.env().items():
        monkeypatch.setenv(name, value)

    def make(**options: str) -> EksAccess:
        document = EksOptions.model_validate_json(json.dumps(cluster.eks(**options)))
        return EksAccess(document, ClusterContext(name="prod-euw1"))

    yield make
    world.faults.clear()


def core(access: EksAccess) -> CoreV1Api:
    return CoreV1Api(sync_client(access, name="prod-euw1"))


def refused(access: EksAccess) -> CredentialError:
    with pytest.raises(CredentialError) as caught:
        core(access).list_namespaced_pod(NAMESPACE)
    return caught.value


def test_the_mapped_name_and_groups_are_what_the_api_server_sees(access):
    api = core(access())

    user = AuthenticationV1Api(api.api_client).create_self_subject_review({}).status.user_info

    assert (user.username, user.groups) == ("aws:multicluster", ["ml-runners", "system:authenticated"])
    assert user.extra["canonicalArn"] == [f"arn:aws:iam::{ACCOUNT}:role/{ROLE}"]


def test_rbac_decides_by_the_mapped_name(access):
    api = core(access())
    allowed, status, _ = api.list_namespaced_pod_with_http_info(NAMESPACE)

    with pytest.raises(ApiException) as caught:
        api.list_namespaced_secret(NAMESPACE)

    assert (status, allowed.kind) == (200, "PodList")
    assert caught.value.status == 403
    assert 'User "aws:multicluster" cannot list resource "secrets"' in message(caught.value)


def test_the_asynchronous_client_comes_in_too(access):
    async def ask() -> str:
        async with await async_client(access(), name="prod-euw1") as client:
            return str((await AsyncCoreV1Api(client).list_namespaced_pod(NAMESPACE)).kind)

    assert asyncio.run(ask()) == "PodList"


@pytest.mark.parametrize("name", BAD)
def test_a_bad_token_is_told_nothing_but_unauthorized(cluster, signer: Signer, name):
    status, body = cluster.raw(PODS, TOKENS[name].make(signer))

    assert (status, body["message"], body["reason"]) == (401, "Unauthorized", "Unauthorized")
    assert TOKENS[name].v07 in cluster.reasons()[-1]


def test_the_same_server_accepts_a_good_token(cluster, signer: Signer):
    status, body = cluster.raw(PODS, signer.sign())

    assert (status, body["kind"]) == (200, "PodList")


def test_a_mapped_user_without_rights_is_known_and_forbidden(cluster, signer: Signer):
    status, body = cluster.raw(PODS, signer.sign(signer.alice))

    assert status == 403
    assert 'User "alice" cannot list resource "pods"' in body["message"]


def test_an_unmapped_role_is_explained_from_this_side(access):
    error = refused(access(role="somebody-else"))

    role = f"arn:aws:iam::{ACCOUNT}:role/somebody-else"
    assert not error.transient
    assert "signed for EKS cluster 'prod' in eu-west-1" in str(error)
    assert "This machine's clock agrees with the server's." in str(error)
    assert f"STS knows the signer as arn:aws:sts::{ACCOUNT}:assumed-role/somebody-else/multicluster" in str(error)
    assert f"no access entry (and no line in aws-auth) for {role}" in str(error)


def test_a_token_for_another_cluster_is_explained_with_the_name_that_was_signed(access):
    error = refused(access(cluster_name="dev"))

    assert "signed for EKS cluster 'dev' in eu-west-1" in str(error)
    assert "or the API server at this address is another cluster's" in str(error)


def test_the_asynchronous_client_explains_the_same(access):
    async def ask() -> None:
        async with await async_client(access(role="somebody-else"), name="prod-euw1") as client:
            await AsyncCoreV1Api(client).list_namespaced_pod(NAMESPACE)

    with pytest.raises(CredentialError, match=r"STS knows the signer as .*assumed-role/somebody-else/multicluster"):
        asyncio.run(ask())


def test_a_throttled_sts_makes_new_tokens_fail_for_a_while_and_known_ones_go_on(world, access):
    known = core(access())
    known.list_namespaced_pod(NAMESPACE)
    world.inject("throttled", service="sts", operation="GetCallerIdentity")

    error = refused(access())

    assert isinstance(error, CredentialUnavailableError)
    assert known.list_namespaced_pod(NAMESPACE).kind == "PodList"


def test_a_task_runs_its_pod_as_the_mapped_user(access, cluster, tmp_path: Path, monkeypatch, capsys):
    from airflow_multicluster import ClusterPodOperator

    registry = tmp_path / "registry.yaml"
    entry = {"name": "prod-euw1", "auth": {"eks": cluster.eks()}}
    registry.write_text(
        json.dumps({"apiVersion": "multicluster/v1alpha1", "kind": "ClusterRegistry", "clusters": [entry]})
    )
    monkeypatch.setenv("MULTICLUSTER_REGISTRY", str(registry))
    access()
    task = ClusterPodOperator(
        task_id="fit",
        cluster="prod-euw1",
        namespace=NAMESPACE,
        image="busybox:1.36",
        image_pull_policy="IfNotPresent",
        cmds=["echo", "trained as a mapped user"],
        startup_check_interval_seconds=1,
        on_finish_action="keep_pod",
    )
    instance = SimpleNamespace(dag_id="d", task_id="fit", run_id="r", map_index=-1, try_number=1, start_date=None)
    instance.xcom_push = lambda **_: None

    task.execute({"ti": instance, "task_instance": instance, "run_id": "r", "dag": SimpleNamespace(dag_id="d")})

    [pod] = core(access()).list_namespaced_pod(NAMESPACE, label_selector="task_id=fit").items
    log = core(access()).read_namespaced_pod_log(pod.metadata.name, NAMESPACE, _preload_content=False).data.decode()
    assert (pod.status.phase, log) == ("Succeeded", "trained as a mapped user\n")


@pytest.mark.parametrize(
    ("scopes", "status", "said"),
    [
        (["cloud-platform", "userinfo.email"], 200, "PodList"),
        (["cloud-platform"], 403, 'pods is forbidden: User "1'),
        (["userinfo.email"], 401, "Unauthorized"),
    ],
)
def test_a_token_of_google_is_asked_of_token_info(world, cluster, scopes, status, said):
    account = world.google.accounts.add(*GOOGLE_USER.removesuffix(".iam.gserviceaccount.com").split("@"))
    token = world.google.tokens.mint(account, [f"https://www.googleapis.com/auth/{scope}" for scope in scopes])

    answered, body = cluster.raw(PODS, token.token)

    assert (answered, body.get("message", body["kind"])[: len(said)]) == (status, said)


def test_an_unknown_token_of_google_is_refused(cluster):
    assert cluster.raw(PODS, "ya29.nobody")[0] == 401
