from __future__ import annotations

import datetime as dt
import json
import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from kubernetes.client import AuthenticationV1Api

from multicluster.errors import AccessError, ClusterUnreachableError, CredentialError
from multicluster.kinds.gke.endpoints import address

pytestmark = pytest.mark.usefixtures("judged")


@pytest.fixture
def gpu(world, enter):
    cluster = world.add_gke("gpu")
    enter()
    return cluster


@pytest.fixture
def key_file(world, gpu, tmp_path):
    path = tmp_path / "key.json"
    path.write_text(json.dumps(world.google.key_file("trainer")))
    return path


def who(core_api):
    review = AuthenticationV1Api(core_api.api_client).create_self_subject_review({})
    return review.status.user_info.username


def calls(world, part):
    return sum(count for name, count in world.report().google.calls.items() if part in name)


@pytest.mark.parametrize("endpoint", ["dns", "public", "private"])
def test_pain_19_every_endpoint_is_reached_as_the_metadata_servers_account(gpu, clusters, core, endpoint):
    assert who(core(clusters.gke(endpoint=endpoint))) == "airflow@acme.iam.gserviceaccount.com"


def test_pain_19_the_dns_endpoint_trusts_public_authorities_only(gpu, clusters):
    dns, public = clusters.gke(endpoint="dns").endpoint(), clusters.gke(endpoint="public").endpoint()

    assert (dns.ca_pem, public.ca_pem) == (None, gpu.kubernetes.ca_pem)


def test_no_file_subprocess_or_environment_is_used(gpu, clusters, core, watcher):
    before = dict(os.environ)
    with watcher.watching() as seen:
        core(clusters.gke()).list_namespace()

    assert (seen.written, seen.processes, dict(os.environ)) == ([], [], before)


def test_a_service_accounts_file_is_used(key_file, clusters, core):
    access = clusters.gke(credentials={"serviceAccountFile": str(key_file)})

    assert who(core(access)) == "trainer@acme.iam.gserviceaccount.com"


def test_application_default_credentials_may_be_a_file(key_file, clusters, core, monkeypatch):
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(key_file))

    assert who(core(clusters.gke())) == "trainer@acme.iam.gserviceaccount.com"


def test_pain_18_accounts_are_impersonated_in_order(world, gpu, clusters, core):
    google = world.google
    first = google.accounts.add("first", "acme", impersonators=[google.account.email])
    last = google.accounts.add("last", "acme", impersonators=[first.email])

    assert who(core(clusters.gke(credentials={"impersonate": [first.email, last.email]}))) == last.email
    with pytest.raises(CredentialError, match=r"cluster 'gpu-euw4': no Google token for last@acme.*getAccessToken"):
        clusters.gke(credentials={"impersonate": [last.email]}).tokens.token()


@pytest.mark.parametrize("as_text", [True, False])
def test_an_airflow_connection_brings_key_and_chain(world, key_file, clusters, core, as_text):
    boss = world.google.accounts.add("boss", "acme", impersonators=["trainer@acme.iam.gserviceaccount.com"])
    key = key_file.read_text()
    extra = {"keyfile_dict": key if as_text else json.loads(key), "impersonation_chain": boss.email, "project": "x"}
    clusters.connections["g"] = {"conn_type": "google_cloud_platform", "extra": extra}

    assert who(core(clusters.gke(credentials={"connection": "g"}))) == boss.email


@pytest.mark.parametrize(
    ("connection", "words"),
    [
        ({"conn_type": "aws"}, "is of type 'aws'"),
        ({"conn_type": "google_cloud_platform", "extra": {"key_secret_name": "s"}}, "key_secret_name is not underst"),
        ({"conn_type": "google_cloud_platform", "extra": {"keyfile_dict": "canary{"}}, "is not JSON"),
        ({"conn_type": "google_cloud_platform", "extra": {"keyfile_dict": {"a": "canary"}}}, "no key of a service"),
        (None, "isn't defined"),
    ],
)
def test_a_connection_that_is_not_understood_is_refused_without_quoting_it(gpu, clusters, connection, words):
    if connection is not None:
        clusters.connections["c"] = connection

    with pytest.raises(CredentialError, match=words) as caught:
        clusters.gke(credentials={"connection": "c"}).endpoint()
    assert "canary" not in str(caught.value)


def test_pain_39_one_refresh_serves_many_threads_and_clusters(world, enter, clusters, core):
    world.add_gke("one")
    world.add_gke("two")
    enter()
    accesses = [clusters.gke(name) for name in ("one", "two")]

    with ThreadPoolExecutor(50) as pool:
        list(pool.map(lambda i: core(accesses[i % 2]).list_namespace(), range(50)))

    assert world.report().google.tokens_seen == 1
    assert calls(world, "metadata:token") == 1


def test_a_refused_token_is_refreshed_although_it_looks_valid(world, key_file, clusters, core):
    api = core(clusters.gke(credentials={"serviceAccountFile": str(key_file)}))
    api.list_namespace()
    world.inject("tokens-expire")

    api.list_namespace()

    assert world.report().google.tokens_seen == 2


def test_pain_18_a_client_outlives_its_token_of_an_hour(world, key_file, clusters, core):
    access = clusters.gke(credentials={"serviceAccountFile": str(key_file)})
    first = access.tokens.token()
    left = first.expires_at - dt.datetime.now(dt.UTC)

    assert dt.timedelta(minutes=55) < left <= dt.timedelta(minutes=56, seconds=15)
    access.tokens.drop(first)
    assert access.tokens.token().value != first.value


def test_pain_39_a_metadata_server_that_fails_twice_at_start_is_survived(world, gpu, clusters, core):
    world.inject("server-error", operation="instance/service-accounts/default/token", times=2)

    core(clusters.gke()).list_namespace()

    assert calls(world, "metadata:token") == 3


def test_a_missing_key_file_is_named(gpu, clusters, tmp_path):
    with pytest.raises(CredentialError, match=r"cluster 'gpu-euw4': the service account's key cannot be read.*nowhere"):
        clusters.gke(credentials={"serviceAccountFile": str(tmp_path / "nowhere")}).tokens.token()


def test_an_unknown_cluster_is_named(gpu, clusters):
    with pytest.raises(AccessError, match=r"clusters/gqu answered 404.*check projectId"):
        clusters.gke("gqu").endpoint()


def test_a_google_token_never_goes_where_there_is_no_tls(gpu, clusters, monkeypatch):
    monkeypatch.setenv("CLOUDSDK_API_ENDPOINT_OVERRIDES_CONTAINER", "http://127.0.0.1:1/")

    with pytest.raises(AccessError, match="https:// only"):
        clusters.gke().endpoint()


def test_an_untrusted_dns_endpoint_never_gets_the_token(world, gpu, clusters, core, monkeypatch):
    access = clusters.gke(endpoint="dns")
    access.endpoint()
    monkeypatch.delenv("SSL_CERT_FILE")

    with pytest.raises(ClusterUnreachableError, match="CERTIFICATE_VERIFY_FAILED"):
        core(access).list_namespace()
    assert world.report().google.tokens_verified == 0


def test_a_forked_child_reaches_the_cluster_too(gpu, clusters, core):
    api = core(clusters.gke())
    api.list_namespace()
    child = os.fork()
    if child == 0:
        try:
            api.list_namespace()
            core(clusters.gke(name="again")).list_namespace()
            os._exit(0)
        except BaseException:  # noqa: BLE001  a child must not run the rest of the tests
            os._exit(1)

    assert os.waitpid(child, 0)[1] == 0
    api.list_namespace()


def test_node_pools_use_the_same_identity(gpu, clusters):
    pools = [pool.name for pool in clusters.gke().node_pools().list()]

    assert "canary" not in pools


DESCRIBED = {
    "name": "gpu",
    "location": "europe-west4",
    "status": "RUNNING",
    "endpoint": "1.2.3.4",
    "masterAuth": {"clusterCaCertificate": "Q0E="},
}
DNS = {"dnsEndpointConfig": {"endpoint": "x.gke.goog", "allowExternalTraffic": True}}
CLOSED = {"dnsEndpointConfig": {"endpoint": "x.gke.goog"}}
IPS = {"ipEndpointsConfig": {"enabled": True, "publicEndpoint": "5.6.7.8", "privateEndpoint": "10.0.0.2"}}


@pytest.mark.parametrize(
    ("config", "wanted", "server", "ca"),
    [
        (DNS, "dns", "https://x.gke.goog", None),
        ({}, "public", "https://1.2.3.4", b"CA"),
        (IPS, "public", "https://5.6.7.8", b"CA"),
        (IPS, "private", "https://10.0.0.2", b"CA"),
    ],
)
def test_pain_19_the_address_follows_the_clusters_own_description(config, wanted, server, ca):
    found = address({**DESCRIBED, "controlPlaneEndpointsConfig": config}, wanted, name="gpu")

    assert (found.server, found.ca_pem) == (server, ca)


@pytest.mark.parametrize(
    ("config", "wanted", "words"),
    [
        ({}, "dns", "allowExternalTraffic"),
        (CLOSED, "dns", "allowExternalTraffic"),
        ({}, "private", "private IP endpoint is off"),
        ({"ipEndpointsConfig": {"enabled": False, "publicEndpoint": "5.6.7.8"}}, "public", "choose endpoint: dns"),
        ({"ipEndpointsConfig": {"enablePublicEndpoint": False, "publicEndpoint": "5.6.7.8"}}, "public", "is off"),
    ],
)
def test_pain_19_an_endpoint_that_is_off_is_refused_before_any_call(config, wanted, words):
    with pytest.raises(AccessError, match=words):
        address({**DESCRIBED, "controlPlaneEndpointsConfig": config}, wanted, name="gpu")


def test_a_cluster_in_the_making_is_a_transient_error():
    making = {"name": "gpu", "location": "europe-west4", "status": "PROVISIONING"}

    with pytest.raises(ClusterUnreachableError, match="PROVISIONING"):
        address(making, "public", name="gpu")
