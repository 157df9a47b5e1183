"""Reach the cluster that this process runs in."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

from multicluster.access.cached_endpoint import CachedEndpoint
from multicluster.access.cached_tokens import CachedTokens
from multicluster.access.endpoint import Endpoint
from multicluster.access.kind import ClusterContext
from multicluster.access.token_file import TokenFile
from multicluster.errors import AccessError, NodePoolsUnsupportedError
from multicluster.kinds.in_cluster.options import InClusterOptions

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where the kubelet puts a pod's token and the cluster's CA."""


class InClusterAccess:
    """The API server's service, with the pod's projected token, which is read anew each minute."""

    def __init__(
        self, _options: InClusterOptions, context: ClusterContext, *, service_account: Path = SERVICE_ACCOUNT
    ) -> None:
        self._context = context
        self._folder = service_account
        self._endpoint = CachedEndpoint(lambda _fresh: self._locate())
        source = TokenFile(service_account / "token", name=context.name, clock=context.clock)
        self._tokens = CachedTokens(source, clock=context.clock)

    @property
    def tokens(self) -> CachedTokens:
        """The pod's token."""
        return self._tokens

    def endpoint(self, *, fresh: bool = False) -> Endpoint:
        """Where the API server is, by the environment that the kubelet sets."""
        return self._endpoint(fresh=fresh)

    def node_pools(self) -> NoReturn:
        """Refuse: a pod does not know which cloud its nodes come from."""
        raise NodePoolsUnsupportedError(
            f"cluster {self._context.name!r}: kind inCluster has no node pools; register it as eks or gke as well"
        )

    def _locate(self) -> Endpoint:
        host, port = os.environ.get("KUBERNETES_SERVICE_HOST"), os.environ.get("KUBERNETES_SERVICE_PORT")
        if not host or not port:
            raise AccessError(
                f"cluster {self._context.name!r}: this process runs in no pod (KUBERNETES_SERVICE_HOST and _PORT are "
                "not set); use another kind outside of the cluster"
            )
        try:
            ca = (self._folder / "ca.crt").read_bytes()
        except OSError as error:
            raise AccessError(f"cluster {self._context.name!r}: the cluster's CA cannot be read: {error}") from error
        if not ca.strip():  # without one, public CAs would count
            raise AccessError(f"cluster {self._context.name!r}: the cluster's CA {self._folder / 'ca.crt'} is empty")
        network = self._context.network
        return Endpoint(
            server=f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}",
            ca_pem=ca,
            proxy_url=network.proxy_url,
            connect_timeout=network.connect_timeout,
            read_timeout=network.read_timeout,
        )
