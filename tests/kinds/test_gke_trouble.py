"""Google's credentials fail in time, in our own errors, and never in clear."""

from __future__ import annotations

import json

import pytest

from multicluster.access.kind import ClusterContext, Network
from multicluster.errors import CredentialError, CredentialUnavailableError
from multicluster.kinds.gke.options import GoogleCredentials
from multicluster.kinds.gke.tokens import google_tokens

IMPATIENT = Network(connect_timeout=0.2, read_timeout=0.3)


@pytest.fixture
def key(world):
    return world.google.key_file("trainer")


@pytest.fixture
def here(world, enter):
    world.add_gke("gpu")
    enter()


def at_once(total_attempts):
    """Retry like google-auth, without its pauses."""
    return range(total_attempts)


def mint(found=None, **options):
    context = ClusterContext(name="gpu", network=IMPATIENT, connection=lambda _: found)
    return google_tokens(GoogleCredentials(**options), context).token()


def written(path, content):
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(path)


def test_a_token_server_that_never_answers_costs_the_clusters_time_out_once(key, silent, tmp_path):
    file = written(tmp_path / "key.json", {**key, "token_uri": f"http://127.0.0.1:{silent.port}/token"})

    with pytest.raises(CredentialUnavailableError, match="cluster 'gpu': no Google token for the service account"):
        mint(service_account_file=file)
    assert silent.connections() == 1


def test_a_metadata_server_that_never_answers_is_a_transient_error(here, silent, monkeypatch):
    metadata = "google.auth.compute_engine._metadata."
    monkeypatch.setattr(metadata + "_GCE_METADATA_HOST", f"127.0.0.1:{silent.port}")
    monkeypatch.setenv("GCE_METADATA_IP", f"127.0.0.1:{silent.port}")
    monkeypatch.setattr(metadata + "_get_metadata_ip_root", lambda _: f"http://127.0.0.1:{silent.port}")
    monkeypatch.setattr(metadata + "ExponentialBackoff", at_once)

    with pytest.raises(CredentialUnavailableError, match="the metadata server took the connection and did not answer"):
        mint()


def test_a_metadata_server_that_falls_silent_later_is_a_transient_error(world, here, monkeypatch):
    monkeypatch.setattr("google.auth.compute_engine._metadata.ExponentialBackoff", at_once)
    world.inject("hang", operation="instance/service-accounts/default/token")

    with pytest.raises(CredentialUnavailableError, match="no Google token for the application default"):
        mint()


def test_the_source_token_is_never_sent_in_clear_to_be_impersonated(here, monkeypatch, silent):
    monkeypatch.setenv("CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS", f"http://127.0.0.1:{silent.port}/")

    with pytest.raises(CredentialError, match=r"IAMCREDENTIALS must begin with https://"):
        mint(impersonate=("x@acme.iam.gserviceaccount.com",))


@pytest.mark.parametrize(
    "content", ["[1]", '"canary"', "5", "{}", "canary{", '{"type": "service_account"}', "[" * 5000]
)
def test_a_file_of_another_shape_is_a_credential_error(here, tmp_path, monkeypatch, content):
    file = written(tmp_path / "key.json", content)
    with pytest.raises(CredentialError) as given:
        mint(service_account_file=file)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", file)
    with pytest.raises(CredentialError) as default:
        mint()

    assert "cluster 'gpu'" in str(given.value)
    assert "cluster 'gpu'" in str(default.value)
    assert "canary" not in str(given.value) + str(default.value)


def test_application_default_credentials_that_are_a_folder_are_a_credential_error(here, tmp_path, monkeypatch):
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path))

    with pytest.raises(CredentialError, match=r"application default credentials cannot be used.*Is a directory"):
        mint()


PEM = "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"keyfile_dict": "[1]"}, "a JSON object"),
        ({"keyfile_dict": '"canary"'}, "a JSON object"),
        ({"keyfile_dict": [1]}, "a JSON object"),
        ({"keyfile_dict": 5}, "a JSON object"),
        ({"keyfile_dict": {"private_key": {"a": "canary"}}}, "private_key is no text"),
        ({"keyfile_dict": {"private_key": PEM}}, "no key of a service account"),
        ({"impersonation_chain": 5}, "impersonation_chain must be"),
        ({"impersonation_chain": [5]}, "impersonation_chain must be"),
        ({"impersonation_chain": "a@b/../c"}, "impersonation_chain must be"),
        ({"key_path": 5}, "key_path must be"),
    ],
)
def test_a_connection_of_another_shape_is_a_credential_error(here, key, extra, words):
    if isinstance(extra.get("keyfile_dict"), dict):
        extra = {"keyfile_dict": {**key, **extra["keyfile_dict"]}}

    with pytest.raises(CredentialError, match=words) as caught:
        mint({"conn_type": "google_cloud_platform", "extra": extra}, connection="g")
    assert "canary" not in str(caught.value)
