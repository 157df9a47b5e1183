"""Reach one EKS cluster with tokens that are signed in this process."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from multicluster.access.cached_endpoint import CachedEndpoint
from multicluster.access.cached_tokens import CachedTokens
from multicluster.access.endpoint import Endpoint
from multicluster.access.kind import ClusterContext
from multicluster.access.token import Finding
from multicluster.errors import AccessError, ClusterUnreachableError, CredentialError
from multicluster.kinds.eks.describe import describe_at_once
from multicluster.kinds.eks.discretion import discretion
from multicluster.kinds.eks.errors import credential_errors, describe_errors
from multicluster.kinds.eks.inquiry import inquire
from multicluster.kinds.eks.options import EksOptions
from multicluster.kinds.eks.session import aws_session, whose
from multicluster.kinds.eks.token_source import EksTokenSource, SigningKey

if TYPE_CHECKING:
    import botocore.session

    from multicluster.node_pools.protocol import NodePools

COMING = frozenset({"CREATING", "PENDING", "UPDATING"})


class EksAccess:
    """Endpoint, tokens and node groups of one cluster, all with the same credentials.

    Clusters with equal credentials share a session within ``context.shared``. The endpoint is described once, unless
    the registry pins it; when a pin no longer answers it is described all the same.
    """

    def __init__(self, options: EksOptions, context: ClusterContext) -> None:
        self._options = options
        self._context = context
        self._subject = whose(options.credentials)
        self._endpoint = CachedEndpoint(self._locate)
        source = EksTokenSource(
            self._key,
            name=context.name,
            cluster_name=options.cluster_name,
            region=options.region,
            subject=self._subject,
            clock=context.clock,
            inquire=self._inquire,
        )
        self._tokens = CachedTokens(source, clock=context.clock)

    @property
    def tokens(self) -> CachedTokens:
        """The cluster's tokens."""
        return self._tokens

    def endpoint(self, *, fresh: bool = False) -> Endpoint:
        """Where the API server is: the registry's pins, or DescribeCluster."""
        return self._endpoint(fresh=fresh)

    def node_pools(self) -> NodePools:
        """The cluster's managed node groups."""
        import boto3

        from multicluster.kinds.eks.node_pools import EksNodePools

        self._key()
        return EksNodePools(
            session=boto3.session.Session(botocore_session=self._session()),
            cluster_name=self._options.cluster_name,
            region=self._options.region,
            options=self._context.node_pools,
            clock=self._context.clock,
        )

    def _locate(self, fresh: bool) -> Endpoint:  # noqa: FBT001  the shape that CachedEndpoint calls
        server, ca = self._options.endpoint, self._options.certificate_authority_data
        if fresh or server is None or ca is None:
            server, ca = self._describe()
        network = self._context.network
        return Endpoint(
            server=server,
            ca_pem=base64.b64decode(ca),
            proxy_url=network.proxy_url,
            connect_timeout=network.connect_timeout,
            read_timeout=network.read_timeout,
        )

    def _describe(self) -> tuple[str, str]:
        """Return endpoint and CA (base64 of PEM) from DescribeCluster."""
        name, options = self._context.name, self._options
        cluster_name, region = options.cluster_name, options.region
        key, session, network = self._key(), self._session(), self._context.network
        with describe_errors(name, cluster_name, region, self._subject):
            cluster = describe_at_once(session, key, cluster_name=cluster_name, region=region, network=network)
            if cluster is None:
                # Made for this question only: it is asked once, and again after a failure.
                client: Any = session.create_client("eks")
                cluster = client.describe_cluster(name=cluster_name)["cluster"]
        server, ca = cluster.get("endpoint"), cluster.get("certificateAuthority", {}).get("data")
        if server and ca:
            return server, ca
        status = cluster.get("status", "unknown")
        kind = ClusterUnreachableError if status in COMING else AccessError
        raise kind(
            f"cluster {name!r}: EKS cluster {cluster_name!r} in {region} is {status} and has no "
            "endpoint; it can be reached once it is ACTIVE"
        )

    def _session(self) -> botocore.session.Session:
        options, context = self._options, self._context
        key = ("aws session", options.credentials, options.region, context.network)
        return context.shared.once(
            key,
            lambda: aws_session(
                options.credentials,
                region=options.region,
                connections=context.connection,
                name=context.name,
                network=context.network,
            ),
        )

    def _key(self) -> SigningKey:
        """Return the session's credentials as they are now; botocore renews them when it is time."""
        options = self._options
        with credential_errors(self._context.name, self._subject), discretion():
            session = self._session()
            key = ("aws credentials", options.credentials, options.region, self._context.network)
            credentials = self._context.shared.once(key, lambda: self._found(session.get_credentials()))
            frozen = credentials.get_frozen_credentials()
        return SigningKey(
            access_key=frozen.access_key,
            secret_key=frozen.secret_key,
            token=frozen.token,
            expires_at=getattr(credentials, "_expiry_time", None),  # botocore shows it nowhere else
        )

    def _inquire(self, key: SigningKey) -> Finding:
        options = self._options
        roles, region = options.credentials.roles, options.region
        return inquire(self._session(), key, cluster_name=options.cluster_name, region=region, roles=roles)

    def _found(self, credentials: Any) -> Any:
        if credentials is None:
            raise CredentialError(
                f"cluster {self._context.name!r}: no AWS credentials from {self._subject}; set the environment, a "
                "profile, roles or an Airflow connection, or run where an instance or pod identity is"
            )
        return credentials
