"""An API server must be the one that the registry pins."""

from __future__ import annotations

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from multicluster import ClusterIdentityError, load_registry

UID = "0d2a2b1e-5d55-4a9a-9f3c-1f6f0e1b7a11"
OTHER = "99999999-5d55-4a9a-9f3c-1f6f0e1b7a11"
pytestmark = pytest.mark.usefixtures("toy_wheel")


class KubeSystem(BaseHTTPRequestHandler):
    """Answers for the namespace kube-system, or with the server's status."""

    def do_GET(self):
        self.server.asked.append(self.path)
        body = json.dumps({"kind": "Namespace", "metadata": {"name": "kube-system", "uid": UID}}).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def api_server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), KubeSystem)
    server.status, server.asked = 200, []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join(5)
    server.server_close()


@pytest.fixture
def cluster(document, api_server):
    def make(identity, scheme="http", **options):
        server = f"{scheme}://127.0.0.1:{api_server.server_port}"
        return load_registry(document(a={"auth": {"toy": {"server": server, **options}}, "identity": identity}))["a"]

    return make


@pytest.fixture(scope="module")
def authority():
    from datetime import UTC, datetime, timedelta

    def make():
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ca")])
        begin = datetime(2026, 1, 1, tzinfo=UTC)
        builder = x509.CertificateBuilder(name, name, key.public_key(), 1, begin, begin + timedelta(days=9999))
        certificate = builder.sign(key, hashes.SHA256())
        der = certificate.public_bytes(serialization.Encoding.DER)
        return certificate.public_bytes(serialization.Encoding.PEM).decode(), hashlib.sha256(der).hexdigest()

    return make


def test_nothing_is_asked_where_nothing_is_pinned(cluster, api_server):
    cluster({}).check_identity()

    assert api_server.asked == []


def test_the_pinned_uid_of_kube_system_lets_pass(cluster, api_server):
    cluster({"kubeSystemUid": UID}).check_identity()

    assert api_server.asked == ["/api/v1/namespaces/kube-system"]


def test_another_uid_of_kube_system_is_refused_with_both(cluster):
    with pytest.raises(ClusterIdentityError) as caught:
        cluster({"kubeSystemUid": OTHER}).check_identity()

    assert str(caught.value) == (
        "cluster 'a' is not the one that the registry pins: its kube-system has uid "
        f"{UID}, identity.kubeSystemUid is {OTHER}"
    )


def test_a_server_that_does_not_tell_its_uid_is_refused(cluster, api_server):
    api_server.status = 403

    with pytest.raises(
        ClusterIdentityError, match="gave 403 Forbidden; its pin kubeSystemUid needs the right to get it"
    ):
        cluster({"kubeSystemUid": UID}).check_identity()


def test_the_pinned_ca_lets_pass(cluster, authority):
    pem, digest = authority()

    assert cluster({"caSha256": digest}, caPem=pem, scheme="https").check_identity() is None


def test_another_ca_is_refused_with_its_digest(cluster, authority):
    pem, digest = authority()

    with pytest.raises(ClusterIdentityError, match=f"its CA is {digest}; identity.caSha256 is {'0' * 64}"):
        cluster({"caSha256": "0" * 64}, caPem=pem, scheme="https").check_identity()


def test_every_certificate_of_a_bundle_must_be_pinned(cluster, authority):
    (one, first), (two, second) = authority(), authority()

    with pytest.raises(ClusterIdentityError, match=f"its CA is {second}; identity.caSha256 is {first}"):
        cluster({"caSha256": first}, caPem=one + two, scheme="https").check_identity()
    assert cluster({"caSha256": [first, second]}, caPem=one + two, scheme="https").check_identity() is None


def test_a_cluster_trusted_through_public_cas_cannot_pin_one(cluster):
    with pytest.raises(ClusterIdentityError, match="is trusted through public CAs; its pin caSha256 cannot be checked"):
        cluster({"caSha256": "0" * 64}, scheme="https").check_identity()


@pytest.mark.parametrize("unverified", [{"scheme": "http"}, {"scheme": "https", "verifyTls": False}])
def test_a_pin_does_not_pass_where_nobody_verifies_the_certificate(cluster, authority, unverified):
    pem, digest = authority()

    with pytest.raises(ClusterIdentityError, match="its pin caSha256 proves nothing"):
        cluster({"caSha256": digest}, caPem=pem, **unverified).check_identity()
