"""Ask EKS where a cluster is, without building a whole client for one signed GET.

boto3's client reads 2 MB of JSON before its first request: most of the time from a cluster's name to its first answer
in a fresh worker. It is still there for whatever is not a plain success.
"""

from __future__ import annotations

import json
import os
import socket
from typing import Any

import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import BotoCoreError, ConnectTimeoutError, ReadTimeoutError
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

from multicluster.access.kind import Network
from multicluster.kinds.eks.discretion import discretion
from multicluster.kinds.eks.partition import regional_host
from multicluster.kinds.eks.token_source import SigningKey

OK = 200


def describe_at_once(
    core: botocore.session.Session, key: SigningKey, *, cluster_name: str, region: str, network: Network
) -> dict[str, Any] | None:
    """Return the cluster of a DescribeCluster that succeeds at the first try; None for anything else.

    Raises botocore's error when nobody answered in time: to ask again would take as long again.
    """
    variants = ("use_fips_endpoint", "use_dualstack_endpoint")
    address = None if any(core.get_config_variable(variant) for variant in variants) else _address(core, region)
    if address is None:
        return None
    request = AWSRequest(method="GET", url=f"{address}/clusters/{cluster_name}")
    credentials = ReadOnlyCredentials(key.access_key, key.secret_key, key.token)
    with discretion():
        SigV4Auth(credentials, "eks", region).add_auth(request)
    make: Any = URLLib3Session
    http = make(
        verify=core.get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE") or True,
        proxies=get_environ_proxies(str(request.url)),
        timeout=(network.connect_timeout, network.read_timeout),
        socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],  # as boto3's clients; without it 40 ms are lost
    )
    try:
        answer = http.send(request.prepare())
        cluster: dict[str, Any] | None = json.loads(answer.content)["cluster"] if answer.status_code == OK else None
    except (ConnectTimeoutError, ReadTimeoutError):
        raise
    except (BotoCoreError, ValueError, KeyError, TypeError):
        return None
    finally:
        http.close()
    return cluster


def _address(core: botocore.session.Session, region: str) -> str | None:
    """Return where the EKS API is; None where that stands in a config file, which boto3 reads better."""
    usual = f"https://{regional_host('eks', region)}"
    if core.get_config_variable("ignore_configured_endpoint_urls"):
        return usual
    given = os.environ.get("AWS_ENDPOINT_URL_EKS") or os.environ.get("AWS_ENDPOINT_URL")
    if given is None and not {"endpoint_url", "services"}.isdisjoint(core.get_scoped_config()):
        return None
    return given.rstrip("/") if given else usual
