"""Reach the cluster of a kubeconfig's context."""

from __future__ import annotations

from dataclasses import replace
from typing import NoReturn

from multicluster.access.cached_endpoint import CachedEndpoint
from multicluster.access.cached_tokens import CachedTokens
from multicluster.access.endpoint import Endpoint
from multicluster.access.kind import ClusterContext
from multicluster.access.single_flight import SingleFlight
from multicluster.access.token_file import TokenFile
from multicluster.errors import CredentialError, NodePoolsUnsupportedError
from multicluster.kinds.kubeconfig.address import proxy, server, verified
from multicluster.kinds.kubeconfig.document import Context, read_context
from multicluster.kinds.kubeconfig.exec_block import ExecBlock, exec_block
from multicluster.kinds.kubeconfig.exec_plugin import ExecPlugin
from multicluster.kinds.kubeconfig.known_plugins import EksPlugin, recognise
from multicluster.kinds.kubeconfig.options import KubeconfigOptions
from multicluster.kinds.kubeconfig.users import StaticToken, basic_authorization, eks_tokens, gke_tokens


class KubeconfigAccess:
    """Server, trust and user of one context. The file is read at first use, and again when something failed."""

    def __init__(self, options: KubeconfigOptions, context: ClusterContext) -> None:
        self._options = options
        self._context = context
        self._endpoint = CachedEndpoint(lambda _fresh: self._locate())
        self._user = SingleFlight(self._prove)
        self._proof: tuple[CachedTokens | None, ExecPlugin | None] | None = None

    @property
    def tokens(self) -> CachedTokens | None:
        """The user's tokens; None for a user with a client certificate or a password. Reads the file."""
        return self._proven()[0]

    def endpoint(self, *, fresh: bool = False) -> Endpoint:
        """Where the API server is, and the user's certificate if it has one."""
        return self._endpoint(fresh=fresh)

    def node_pools(self) -> NoReturn:
        """Refuse: a kubeconfig does not tell which cloud's API makes nodes."""
        raise NodePoolsUnsupportedError(
            f"cluster {self._context.name!r}: kind kubeconfig has no node pools; register the cluster as eks or gke"
        )

    def _read(self) -> Context:
        wanted = None if self._options.use_current_context else self._options.context
        return read_context(self._options.path, wanted, name=self._context.name)

    def _locate(self) -> Endpoint:
        endpoint = self._plain_endpoint(self._read())
        plugin = self._proven()[1]
        if plugin is None:
            return endpoint
        given = plugin.credential()
        return replace(endpoint, client_certificate_pem=given.certificate, client_key_pem=given.key)

    def _plain_endpoint(self, context: Context) -> Endpoint:
        cluster, user, network = context.cluster, context.user, self._context.network
        return Endpoint(
            server=server(cluster),
            verify_tls=verified(cluster),
            ca_pem=cluster.pem("certificate-authority"),
            tls_server_name=cluster.text("tls-server-name"),
            proxy_url=network.proxy_url or proxy(cluster),
            connect_timeout=network.connect_timeout,
            read_timeout=network.read_timeout,
            client_certificate_pem=user.pem("client-certificate"),
            client_key_pem=user.pem("client-key"),
            authorization=basic_authorization(user),
        )

    def _proven(self) -> tuple[CachedTokens | None, ExecPlugin | None]:
        if self._proof is None:
            self._proof = self._user()
        return self._proof

    def _prove(self) -> tuple[CachedTokens | None, ExecPlugin | None]:
        """Return the tokens and the exec plugin of the context's user, where it has them."""
        context = self._read()
        user, clock, name = context.user, self._context.clock, self._context.name
        token_file = user.file("tokenFile")
        if token_file:
            return CachedTokens(TokenFile(token_file, name=name, clock=clock), clock=clock), None
        if user.text("token"):
            return CachedTokens(StaticToken(lambda: self._read().user), clock=clock), None
        block, old = exec_block(user), user.mapping("auth-provider")
        if block is not None:
            return self._exec(block, self._plain_endpoint(context))
        if old is not None:
            raise CredentialError(
                f"cluster {name!r}: kubeconfig user {user.name!r} uses auth-provider {old.get('name')!r}, which "
                "Kubernetes removed in 1.26; use the kind eks or gke, or an exec plugin"
            )
        return None, None

    def _exec(self, block: ExecBlock, endpoint: Endpoint) -> tuple[CachedTokens | None, ExecPlugin | None]:
        known = recognise(block)
        if isinstance(known, EksPlugin):
            return eks_tokens(known, endpoint.server, self._context), None
        if known is not None:
            return gke_tokens(known, endpoint, self._context), None
        if not self._options.allow_exec:
            raise CredentialError(
                f"cluster {self._context.name!r}: kubeconfig user {block.user!r} runs {block.short_name!r}, which is "
                "not replaced in process (nor are unknown options of aws, aws-iam-authenticator and "
                "gke-gcloud-auth-plugin); set allowExec: true if it may run everywhere"
            )
        clock = self._context.clock
        plugin = ExecPlugin(block, name=self._context.name, clock=clock, endpoint=endpoint)
        tokens = CachedTokens(plugin, clock=clock) if plugin.credential().token else None
        return tokens, plugin
