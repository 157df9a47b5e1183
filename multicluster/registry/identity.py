"""Make sure that an API server is the one that the registry means."""

from __future__ import annotations

import hashlib
import re
import ssl
from typing import TYPE_CHECKING

from multicluster.errors import ClusterIdentityError

if TYPE_CHECKING:
    from multicluster.access.endpoint import Endpoint
    from multicluster.registry.cluster import Cluster

_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def check_identity(cluster: Cluster) -> None:
    """Compare the pins with the API server. Raises ClusterIdentityError."""
    pins = cluster.document.identity
    if pins.ca_sha256:
        accept(cluster, cluster.access.endpoint())
    if pins.kube_system_uid:
        _check_uid(cluster, pins.kube_system_uid)


def accept(cluster: Cluster, endpoint: Endpoint) -> None:
    """Compare the pin of the CA with an endpoint that a client is about to connect to. Raises ClusterIdentityError."""
    pinned = cluster.document.identity.ca_sha256
    if pinned:
        _check_ca(cluster.name, frozenset(pinned), endpoint)


def ca_digests(ca_pem: bytes) -> list[str]:
    """Return the SHA-256 of each certificate's DER, in hex: what ``identity.caSha256`` is compared with."""
    found = _CERTIFICATE.findall(ca_pem)
    return [hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem.decode("ascii"))).hexdigest() for pem in found]


def _check_ca(name: str, pinned: frozenset[str], endpoint: Endpoint) -> None:
    """Every certificate must be pinned: one stranger in a bundle could vouch for any server."""
    if not endpoint.verify_tls or not endpoint.server.startswith("https://"):
        raise ClusterIdentityError(
            f"cluster {name!r} shows no certificate that is verified, so that its pin caSha256 proves nothing; "
            "let it verify TLS (a kubeconfig says insecure-skip-tls-verify, or http), or drop the pin"
        )
    if endpoint.ca_pem is None:
        raise ClusterIdentityError(
            f"cluster {name!r} is trusted through public CAs; its pin caSha256 cannot be checked"
        )
    digests = ca_digests(endpoint.ca_pem)
    strange = [digest for digest in digests if digest not in pinned]
    if strange or not digests:
        raise ClusterIdentityError(
            f"cluster {name!r} is not the one that the registry pins: its CA is {', '.join(strange) or 'empty'}; "
            f"identity.caSha256 is {', '.join(sorted(pinned))}. If its CA was rotated, pin both for a while"
        )


def _check_uid(cluster: Cluster, pinned: str) -> None:
    from kubernetes.client import ApiException, CoreV1Api

    try:
        found = CoreV1Api(cluster.client()).read_namespace("kube-system").metadata.uid
    except ApiException as error:
        raise ClusterIdentityError(
            f"cluster {cluster.name!r} does not tell who it is: reading the namespace kube-system gave {error.status} "
            f"{error.reason}; its pin kubeSystemUid needs the right to get it"
        ) from error
    if found != pinned:
        raise ClusterIdentityError(
            f"cluster {cluster.name!r} is not the one that the registry pins: its kube-system has uid {found}, "
            f"identity.kubeSystemUid is {pinned}"
        )
