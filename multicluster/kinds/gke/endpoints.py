"""Choose among the endpoints of a GKE cluster, by what the cluster says about itself."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from multicluster.errors import AccessError, ClusterUnreachableError


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where to connect, and the CA to trust; None means public CAs."""

    server: str
    ca_pem: bytes | None


def address(cluster: Mapping[str, Any], wanted: Literal["dns", "public", "private"], *, name: str) -> Address:
    """Return the *wanted* address of *cluster*, a reply of clusters.get; *name* is the cluster's, for errors.

    Raises ClusterUnreachableError while the cluster is being made, AccessError when its flags rule the endpoint out.
    """
    config = cluster.get("controlPlaneEndpointsConfig") or {}
    if wanted == "dns":
        return Address(server=f"https://{_dns(config.get('dnsEndpointConfig') or {}, cluster, name)}", ca_pem=None)
    ip = config.get("ipEndpointsConfig") or {}
    legacy = cluster.get("privateClusterConfig") or {}
    ruled_out = ip.get("enabled") is False or (wanted == "public" and ip.get("enablePublicEndpoint") is False)
    if wanted == "public":
        host = ip.get("publicEndpoint") or legacy.get("publicEndpoint") or cluster.get("endpoint")
    else:
        host = ip.get("privateEndpoint") or legacy.get("privateEndpoint")
    if ruled_out or not host:
        raise _unusable(cluster, f"its {wanted} IP endpoint is off", "choose endpoint: dns, or turn it on", name)
    ca = (cluster.get("masterAuth") or {}).get("clusterCaCertificate")
    if not ca:
        raise _unusable(cluster, "it names no CA", "choose endpoint: dns, which public CAs vouch for", name)
    return Address(server=f"https://{host}", ca_pem=base64.b64decode(ca))


def _dns(config: Mapping[str, Any], cluster: Mapping[str, Any], name: str) -> str:
    host = config.get("endpoint")
    if not host or not config.get("allowExternalTraffic"):
        why = "its DNS endpoint does not allow external traffic (allowExternalTraffic)"
        raise _unusable(
            cluster, why, "run gcloud container clusters update --enable-dns-access, or choose another", name
        )
    return str(host)


def _unusable(cluster: Mapping[str, Any], why: str, remedy: str, name: str) -> AccessError:
    status = cluster.get("status", "unknown")
    what = f"cluster {name!r}: GKE cluster {cluster.get('name')!r} in {cluster.get('location')} is {status}"
    if status == "PROVISIONING":
        return ClusterUnreachableError(f"{what}; it can be reached once it is RUNNING")
    return AccessError(f"{what} and {why}; {remedy}")
