"""``multicluster token NAME``: print a credential for a cluster, as kubectl's exec plugins do."""

from __future__ import annotations

import argparse
import json
import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from multicluster.cli.output import add_output_argument, say
from multicluster.cli.sources import add_registry_argument, registry_from

if TYPE_CHECKING:
    from multicluster.cli.main import Subparsers
    from multicluster.registry.cluster import Cluster

GROUP = "client.authentication.k8s.io/"
VERSIONS = (GROUP + "v1beta1", GROUP + "v1")
"""kubectl 1.20 knows the first only, and says in KUBERNETES_EXEC_INFO which one it wants."""


def register(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    """Add ``token``."""
    parser = subparsers.add_parser(
        "token",
        help="print a token for a cluster, as kubectl's exec plugins do",
        description="Print an ExecCredential (a secret!) for a cluster of the registry.",
    )
    parser.add_argument("name", help="the cluster's name in the registry")
    add_registry_argument(parser)
    add_output_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Print the credential."""
    cluster = registry_from(args)[args.name]
    if sys.stdout.isatty():
        say(f"this is a secret: whoever has it can do on {cluster.name} what you can, until it expires")
    credential = exec_credential(cluster, version=wanted_version(os.environ.get("KUBERNETES_EXEC_INFO")))
    print(json.dumps(credential))  # kubectl reads JSON only, so that --output has nothing to choose
    return 0


def wanted_version(exec_info: str | None) -> str:
    """Return the API version that kubectl asks for; the oldest one when it does not ask, or asks for an unknown one."""
    try:
        wanted = json.loads(exec_info or "{}").get("apiVersion")
    except (ValueError, AttributeError):
        wanted = None
    return wanted if wanted in VERSIONS else VERSIONS[0]


def exec_credential(cluster: Cluster, *, version: str) -> dict[str, Any]:
    """Return the ExecCredential, or a client certificate where the user has one; blocks. Raises AccessError."""
    access = cluster.access
    if access.tokens is None:
        endpoint = access.endpoint()
        certificate, key = endpoint.client_certificate_pem, endpoint.client_key_pem
        if certificate and key:
            status = {"clientCertificateData": certificate.decode(), "clientKeyData": key.decode()}
            return {"apiVersion": version, "kind": "ExecCredential", "status": status}
    token = cluster.token()
    return {
        "apiVersion": version,
        "kind": "ExecCredential",
        "status": {"token": token.value, "expirationTimestamp": timestamp(token.expires_at)},
    }


def timestamp(moment: datetime) -> str:
    """Write a moment as Kubernetes reads it: RFC 3339, UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
