"""Reach one GKE cluster with Google access tokens."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from multicluster.access.cached_endpoint import CachedEndpoint
from multicluster.access.cached_tokens import CachedTokens
from multicluster.access.endpoint import Endpoint
from multicluster.access.kind import ClusterContext
from multicluster.errors import AccessError
from multicluster.kinds.gke.credentials import whose
from multicluster.kinds.gke.endpoints import address
from multicluster.kinds.gke.errors import credential_errors, describe_errors
from multicluster.kinds.gke.options import GkeOptions
from multicluster.kinds.gke.session import GoogleSession
from multicluster.kinds.gke.tokens import google_tokens, shared_session

if TYPE_CHECKING:
    from multicluster.node_pools.protocol import NodePools

API_OVERRIDE = "CLOUDSDK_API_ENDPOINT_OVERRIDES_CONTAINER"
"""gcloud's own variable for another address of the GKE API (a private one, a simulator)."""


class GkeAccess:
    """Endpoint, tokens and node pools of one cluster, all with the same credentials.

    Clusters with equal credentials share them, and their access token, within ``context.shared``.
    """

    def __init__(self, options: GkeOptions, context: ClusterContext) -> None:
        self._options = options
        self._context = context
        self._subject = whose(options.credentials)
        self._endpoint = CachedEndpoint(lambda _fresh: self._locate())
        self._tokens = google_tokens(options.credentials, context)

    @property
    def tokens(self) -> CachedTokens:
        """The cluster's tokens."""
        return self._tokens

    def endpoint(self, *, fresh: bool = False) -> Endpoint:
        """Where the API server is, from clusters.get."""
        return self._endpoint(fresh=fresh)

    def node_pools(self) -> NodePools:
        """The cluster's node pools."""
        from multicluster.kinds.gke.node_pools import GkeNodePools

        options = self._options
        return GkeNodePools(
            session=self._session().http,
            project_id=options.project_id,
            location=options.location,
            cluster_name=options.cluster_name,
            api_url=api_url(self._context.name),
            options=self._context.node_pools,
            clock=self._context.clock,
        )

    def _locate(self) -> Endpoint:
        found = address(self._describe(), self._options.endpoint, name=self._context.name)
        network = self._context.network
        return Endpoint(
            server=found.server,
            ca_pem=found.ca_pem,
            proxy_url=network.proxy_url,
            connect_timeout=network.connect_timeout,
            read_timeout=network.read_timeout,
        )

    def _describe(self) -> dict[str, Any]:
        options, context = self._options, self._context
        path = f"projects/{options.project_id}/locations/{options.location}/clusters/{options.cluster_name}"
        self.tokens.token()  # so that the session below finds its credentials valid
        http = self._session().patient
        with describe_errors(context.name, path), credential_errors(context.name, self._subject):
            response = http.get(
                f"{api_url(context.name)}v1/{path}",
                timeout=(context.network.connect_timeout, context.network.read_timeout),
            )
            response.raise_for_status()
            cluster: dict[str, Any] = response.json()
        return cluster

    def _session(self) -> GoogleSession:
        return shared_session(self._options.credentials, self._context)


def api_url(name: str) -> str:
    """Return the base address of the GKE API, with a slash at its end; *name* is the cluster's, for errors.

    A Google token opens every cluster of its owner: AccessError for an address without TLS.
    """
    url = os.environ.get(API_OVERRIDE) or "https://container.googleapis.com/"
    if not url.startswith("https://"):
        raise AccessError(f"cluster {name!r}: {API_OVERRIDE} is {url!r}; a Google token is sent to https:// only")
    return url.rstrip("/") + "/"
