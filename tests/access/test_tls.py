from __future__ import annotations

import ssl
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import serialization

from multicluster.access.endpoint import Endpoint
from multicluster.access.tls import ssl_context
from multicluster.errors import AccessError, CredentialError


def test_only_the_clusters_own_authority_is_trusted(ca):
    context = ssl_context(Endpoint(server="https://x", ca_pem=ca.pem), name="gpu")

    assert len(context.get_ca_certs()) == 1
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_without_one_the_environments_bundle_is_trusted(ca, tmp_path, monkeypatch):
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(ca.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))

    assert len(ssl_context(Endpoint(server="https://x"), name="gpu").get_ca_certs()) == 1


def test_verification_is_skipped_only_when_told(ca):
    context = ssl_context(Endpoint(server="https://x", ca_pem=ca.pem, verify_tls=False), name="gpu")

    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_NONE, False)


@pytest.mark.parametrize("field", ["ca_pem", "client_certificate_pem"])
def test_bytes_that_are_no_pem_are_an_error_that_names_the_cluster(ca, field):
    endpoint = replace(Endpoint(server="https://x", ca_pem=ca.pem), **{field: b"rubbish"})

    with pytest.raises(AccessError, match="cluster 'gpu': its CA or client certificate"):
        ssl_context(endpoint, name="gpu")


def test_a_client_key_never_reaches_the_disk(ca, monkeypatch, tmp_path):
    certificate, key = ca.issue("jane")
    monkeypatch.setattr("tempfile.NamedTemporaryFile", lambda *_, **__: pytest.fail("a file was made"))

    endpoint = Endpoint(server="https://x", ca_pem=ca.pem, client_certificate_pem=certificate, client_key_pem=key)

    assert ssl_context(endpoint, name="gpu").cert_store_stats()["x509_ca"] == 1
    assert key.decode() not in repr(endpoint)


def test_an_encrypted_client_key_is_refused_instead_of_asking_a_terminal_for_its_password(ca):
    certificate, plain = ca.issue("jane")
    key = serialization.load_pem_private_key(plain, None).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"password"),
    )
    endpoint = Endpoint(server="https://x", ca_pem=ca.pem, client_certificate_pem=certificate, client_key_pem=key)

    with pytest.raises(CredentialError, match=r"cluster 'gpu': its client key is encrypted .* decrypt it"):
        ssl_context(endpoint, name="gpu")


@pytest.mark.parametrize("empty", [b"", b"\n", b"# no certificate\n"])
def test_a_cluster_whose_authority_is_empty_is_never_trusted_through_public_ones(empty):
    with pytest.raises(AccessError, match="cluster 'gpu': its CA"):
        ssl_context(Endpoint(server="https://x", ca_pem=empty), name="gpu")


def test_a_file_system_that_fails_is_an_error_that_names_the_cluster(ca, monkeypatch):
    certificate, key = ca.issue("jane")
    endpoint = Endpoint(server="https://x", ca_pem=ca.pem, client_certificate_pem=certificate, client_key_pem=key)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.memfd_create", full, raising=False)

    with pytest.raises(AccessError, match=r"cluster 'gpu': .* No space left"):
        ssl_context(endpoint, name="gpu")
