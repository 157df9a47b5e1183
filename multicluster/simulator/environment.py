"""Write what clients need to find a world: environment, CA bundle, kubeconfig."""

from __future__ import annotations

import base64
import os
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from multicluster.simulator.world import Entrance, World

AWS_SERVICES = ("EKS", "STS", "AUTO_SCALING", "EC2", "SCHEDULER")


def environment(world: World) -> dict[str, str]:
    """Return variables that lead boto3, google-auth, requests and ssl to the world and to nothing else.

    Unset GOOGLE_APPLICATION_CREDENTIALS and AWS_PROFILE beside it: they would win over what is here.
    """
    bundle = write_bundle(world)
    key = world.aws.key
    own = world.root / "empty"
    own.mkdir(exist_ok=True)
    endpoints = {f"AWS_ENDPOINT_URL_{service}": world.aws_url for service in AWS_SERVICES}
    no_proxy = ",".join(
        part for part in (os.environ.get("NO_PROXY") or os.environ.get("no_proxy"), "127.0.0.1,localhost") if part
    )
    return {
        "AWS_ACCESS_KEY_ID": key.id,
        "AWS_SECRET_ACCESS_KEY": key.secret,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(own / "aws-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(own / "aws-credentials"),
        "AWS_CA_BUNDLE": str(bundle),
        **endpoints,
        "REQUESTS_CA_BUNDLE": str(bundle),
        "SSL_CERT_FILE": str(bundle),
        "GCE_METADATA_HOST": world.metadata_host,
        "GCE_METADATA_IP": world.metadata_host,
        "GOOGLE_CLOUD_PROJECT": world.google.project,
        "CLOUDSDK_CONFIG": str(own / "gcloud"),
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_CONTAINER": world.google.url + "/",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS": world.google.url + "/",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE": world.google.url + "/compute/v1/",
        "NO_PROXY": no_proxy,
        "no_proxy": no_proxy,
        "MULTICLUSTER_SIMULATOR_URL": world.control_url,
        "MULTICLUSTER_SIMULATOR_TOKEN": world.control.token,
    }


def write_bundle(world: World) -> Path:
    """Write the world's CA behind the machine's own, so that other HTTPS traffic of the process still works."""
    path = world.root / "ca-bundle.pem"
    known = ssl.get_default_verify_paths()
    system = Path(known.openssl_cafile)
    own = world.ca.pem
    path.write_bytes((system.read_bytes() + b"\n" if system.is_file() else b"") + own)
    return path


def kubeconfig(entrances: Iterable[Entrance]) -> dict[str, object]:
    """Write a kubeconfig with an admin context for each cluster; the first one is current."""
    clusters, contexts, users = [], [], []
    for entrance in entrances:
        name = entrance.name
        ca = base64.b64encode(entrance.kubernetes.ca_pem).decode()
        clusters.append(
            {"name": name, "cluster": {"server": entrance.kubernetes.url, "certificate-authority-data": ca}}
        )
        contexts.append({"name": name, "context": {"cluster": name, "user": f"{name}-admin", "namespace": "default"}})
        users.append({"name": f"{name}-admin", "user": dict(entrance.kubernetes.admin)})
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": clusters,
        "contexts": contexts,
        "users": users,
        "current-context": contexts[0]["name"] if contexts else "",
    }
