from __future__ import annotations

import base64
import json
import os
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import pytest
from kubernetes.client import AuthenticationV1Api

from multicluster.errors import AccessError, ClusterUnreachableError, CredentialError, CredentialUnavailableError

OTHER_ACCOUNT = "444455556666"
pytestmark = pytest.mark.usefixtures("judged")


@pytest.fixture
def gpu(world, enter):
    cluster = world.add_eks("gpu")
    enter()
    return cluster


def who(core_api):
    review = AuthenticationV1Api(core_api.api_client).create_self_subject_review({})
    return review.status.user_info.username


def signer(access):
    encoded = access.tokens.token().value.removeprefix("k8s-aws-v1.")
    url = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
    return parse_qs(urlsplit(url).query)["X-Amz-Credential"][0].split("/")[0]


def calls(world, operation):
    return sum(count for name, count in world.report().aws.calls.items() if name.endswith(f":{operation}"))


def test_pain_08_a_name_becomes_a_client_without_file_subprocess_or_environment(world, gpu, clusters, core, watcher):
    before = dict(os.environ)
    with watcher.watching() as seen:
        names = [item.metadata.name for item in core(clusters.eks()).list_namespace().items]

    assert "kube-system" in names
    assert (seen.written, seen.processes, dict(os.environ)) == ([], [], before)
    assert (calls(world, "DescribeCluster"), world.report().aws.tokens_seen) == (1, 1)


def test_describe_and_token_are_signed_by_the_same_role(world, gpu, clusters, core):
    role = world.aws.iam.add_role("airflow", external_id="acme")
    access = clusters.eks(credentials={"roles": [{"roleArn": role.arn, "externalId": "acme"}]})

    user = who(core(access))

    assert "assumed-role/airflow/multicluster" in user
    assert world.aws.iam.keys[signer(access)].principal.arn.endswith("assumed-role/airflow/multicluster")
    assert calls(world, "AssumeRole") == 1


def test_a_chain_of_roles_ends_in_another_account(world, enter, clusters, core):
    world.add_eks("far", account=OTHER_ACCOUNT)
    enter()
    hop = world.aws.iam.add_role("hop")
    far = world.aws.iam.add_role("far", OTHER_ACCOUNT, trust=[hop.arn])
    roles = [{"roleArn": hop.arn}, {"roleArn": far.arn, "sessionName": "trainer"}]
    access = clusters.eks("far", credentials={"roles": roles})

    assert f"{OTHER_ACCOUNT}:assumed-role/far/trainer" in who(core(access))
    with pytest.raises(CredentialError, match="role/far"):
        clusters.eks("far", credentials={"roles": roles[1:]}).tokens.token()


def test_a_wrong_external_id_is_a_credential_error_that_names_role_and_cluster(world, gpu, clusters):
    role = world.aws.iam.add_role("airflow", external_id="acme")
    access = clusters.eks(credentials={"roles": [{"roleArn": role.arn, "externalId": "other"}]})

    with pytest.raises(CredentialError, match=r"cluster 'gpu-use1': .*role/airflow.*AccessDenied"):
        access.endpoint()


def test_two_roles_used_in_turn_by_threads_never_mix(world, gpu, clusters):
    roles = [world.aws.iam.add_role(name) for name in ("a", "b")]
    accesses = [clusters.eks(credentials={"roles": [{"roleArn": role.arn}]}) for role in roles]

    def sign(i):
        access = accesses[i % 2]
        access.tokens.drop(access.tokens.token())
        return i % 2, world.aws.iam.keys[signer(access)].principal.source

    with ThreadPoolExecutor(8) as pool:
        seen = set(pool.map(sign, range(200)))

    assert seen == {(0, roles[0].arn), (1, roles[1].arn)}


def test_pain_39_fifty_threads_starting_cold_share_session_description_and_token(world, gpu, clusters, core):
    role = world.aws.iam.add_role("airflow")
    access = clusters.eks(credentials={"roles": [{"roleArn": role.arn}]})

    with ThreadPoolExecutor(50) as pool:
        list(pool.map(lambda _: core(access).list_namespace(), range(50)))

    assert (calls(world, "AssumeRole"), calls(world, "DescribeCluster"), access.tokens.minted) == (1, 1, 1)


def test_clusters_of_one_credential_set_share_its_session(world, enter, clusters, core):
    world.add_eks("one")
    world.add_eks("two")
    enter()
    role = world.aws.iam.add_role("airflow")
    for name in ("one", "two"):
        core(clusters.eks(name, credentials={"roles": [{"roleArn": role.arn}]})).list_namespace()

    assert calls(world, "AssumeRole") == 1


@pytest.fixture
def _profile(world, gpu, tmp_path, monkeypatch):
    key = world.aws.iam.add_user("train")
    file = tmp_path / "credentials"
    file.write_text(f"[train]\naws_access_key_id = {key.id}\naws_secret_access_key = {key.secret}\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))


@pytest.mark.usefixtures("_profile")
def test_a_profile_is_used_and_a_missing_one_is_named_with_the_cluster(clusters, core):
    assert "user/train" in who(core(clusters.eks(credentials={"profile": "train"})))
    with pytest.raises(CredentialError, match="cluster 'gpu-use1': AWS profile 'trian'"):
        clusters.eks(credentials={"profile": "trian"}).endpoint()


@pytest.mark.usefixtures("gpu")
def test_a_pods_own_role_is_taken_from_its_projected_token(world, clusters, core, tmp_path, monkeypatch):
    subject = "system:serviceaccount:airflow:worker"
    role = world.aws.iam.add_role("irsa", trust=[subject])
    claims = base64.urlsafe_b64encode(json.dumps({"sub": subject, "exp": 4102444800}).encode()).decode().rstrip("=")
    (tmp_path / "token").write_text(f"e30.{claims}.sig")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_ROLE_ARN", role.arn)
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))

    assert "assumed-role/irsa/" in who(core(clusters.eks()))


def test_no_credentials_at_all_is_said_with_the_ways_to_give_some(gpu, clusters, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")

    with pytest.raises(CredentialError, match="no AWS credentials from the default AWS credentials; set the environ"):
        clusters.eks().tokens.token()


def test_an_airflow_connection_brings_keys_and_role(world, gpu, clusters, core):
    key = world.aws.iam.add_user("conn")
    role = world.aws.iam.add_role("from-conn", trust=[key.principal.arn], external_id="acme")
    extra = {"role_arn": role.arn, "assume_role_kwargs": {"ExternalId": "acme"}, "region_name": "eu-west-1"}
    clusters.connections["aws_gpu"] = {"conn_type": "aws", "login": key.id, "password": key.secret, "extra": extra}

    assert "assumed-role/from-conn" in who(core(clusters.eks(credentials={"connection": "aws_gpu"})))


@pytest.mark.parametrize(
    ("connection", "words"),
    [
        ({"conn_type": "aws", "extra": {"assume_role_method": "assume_role_with_saml"}}, "assume_role_with_saml"),
        ({"conn_type": "aws", "extra": {"endpoint_url": "https://x"}}, "endpoint_url is not understood"),
        ({"conn_type": "aws", "login": "AKIA"}, "needs both"),
        ({"conn_type": "http"}, "is of type 'http'"),
        ({"conn_type": "aws", "extra": {"role_arn": "r"}}, "role_arn|roleArn"),
        (None, "isn't defined"),
    ],
)
def test_a_connection_that_is_not_understood_is_refused(gpu, clusters, connection, words):
    if connection is not None:
        clusters.connections["c"] = connection

    with pytest.raises(CredentialError, match=words):
        clusters.eks(credentials={"connection": "c"}).endpoint()


def pins(cluster):
    ca = base64.b64encode(cluster.kubernetes.ca_pem).decode()
    return {"endpoint": cluster.kubernetes.url, "certificateAuthorityData": ca}


def test_pins_spare_describe_cluster(world, gpu, clusters, core):
    core(clusters.eks(**pins(gpu))).list_namespace()

    assert calls(world, "DescribeCluster") == 0


def test_a_rotated_certificate_authority_is_described_again(world, gpu, clusters, core):
    described, pinned = core(clusters.eks()), core(clusters.eks(**pins(gpu)))
    described.list_namespace()
    pinned.list_namespace()
    world.inject("certificate-rotates")
    described.api_client.close()
    pinned.api_client.close()

    described.list_namespace()
    pinned.list_namespace()

    assert calls(world, "DescribeCluster") == 3


@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize(
    ("status", "kind"), [("CREATING", ClusterUnreachableError), ("FAILED", AccessError), ("DELETING", AccessError)]
)
def test_a_cluster_without_endpoint_is_named_with_its_status(clusters, monkeypatch, status, kind):
    described = {"status": status}
    access = clusters.eks()
    monkeypatch.setattr("multicluster.kinds.eks.access.describe_at_once", lambda *_, **__: described)

    with pytest.raises(kind, match=f"'gpu' in us-east-1 is {status} and has no endpoint"):
        access.endpoint()


@pytest.mark.parametrize("fault", ["throttled", "server-error", "drop", "lost-response"])
def test_a_description_that_fails_at_first_is_left_to_boto3_and_its_retries(world, gpu, clusters, fault):
    world.inject(fault, operation="DescribeCluster", times=1)

    assert clusters.eks().endpoint().server == gpu.kubernetes.url
    assert calls(world, "DescribeCluster") == 2


def test_the_description_honours_what_aws_config_files_say(world, gpu, clusters, tmp_path, monkeypatch):
    config = tmp_path / "config"
    config.write_text(f"[default]\nservices = here\n[services here]\neks =\n  endpoint_url = {world.aws_url}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.delenv("AWS_ENDPOINT_URL_EKS")

    assert clusters.eks().endpoint().server == gpu.kubernetes.url


def test_an_unknown_cluster_is_named_with_region_and_identity(gpu, clusters):
    with pytest.raises(AccessError, match="no EKS cluster 'gqu' in us-east-1 of the account of the default"):
        clusters.eks("gqu").endpoint()


def test_one_401_is_survived_and_an_unmapped_identity_is_explained(world, gpu, clusters, core):
    api = core(clusters.eks())
    world.inject("unauthorized")
    api.list_namespace()
    gpu.everyone_is_admin = False
    world.inject("tokens-expire")

    with pytest.raises(CredentialError, match=r"refused two tokens.*access key AKIA.*EKS cluster 'gpu'.*access entry"):
        api.list_namespace()


def test_revoked_tokens_are_replaced_without_anybody_noticing(world, gpu, clusters, core):
    api = core(clusters.eks())
    api.list_namespace()
    world.inject("tokens-expire")

    api.list_namespace()

    assert world.report().aws.tokens_refused >= 1


def test_ended_role_sessions_are_a_transient_or_clear_error(world, gpu, clusters):
    role = world.aws.iam.add_role("airflow")
    access = clusters.eks(credentials={"roles": [{"roleArn": role.arn}]})
    access.endpoint()
    world.inject("sessions-end")

    with pytest.raises(CredentialError, match=r"as role.*ExpiredToken"):
        access.endpoint(fresh=True)


def test_pain_39_a_throttled_sts_is_a_transient_credential_error(world, gpu, clusters):
    role = world.aws.iam.add_role("airflow")
    world.inject("throttled", operation="AssumeRole")

    with pytest.raises(CredentialUnavailableError) as caught:
        clusters.eks(credentials={"roles": [{"roleArn": role.arn}]}).tokens.token()
    assert caught.value.transient


def test_a_forked_child_reaches_the_cluster_too(gpu, clusters, core):
    api = core(clusters.eks())
    api.list_namespace()
    child = os.fork()
    if child == 0:
        try:
            api.list_namespace()
            core(clusters.eks("gpu", name="again")).list_namespace()
            os._exit(0)
        except BaseException:  # noqa: BLE001  a child must not run the rest of the tests
            os._exit(1)

    assert os.waitpid(child, 0)[1] == 0
    api.list_namespace()


def test_node_pools_use_the_same_identity(world, gpu, clusters):
    role = world.aws.iam.add_role("airflow")
    pools = clusters.eks(credentials={"roles": [{"roleArn": role.arn}]}).node_pools()

    assert list(pools.list()) == []
    assert calls(world, "AssumeRole") == 1
