"""Access to a toy: plain HTTP on this machine, tokens that count."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from multicluster.access.cached_tokens import CachedTokens
from multicluster.access.endpoint import Endpoint
from multicluster.access.token import Token
from multicluster.errors import NodePoolsUnsupportedError

if TYPE_CHECKING:
    from multicluster.access.kind import ClusterContext
    from multicluster.node_pools.protocol import NodePools
    from toy_kind import ToyOptions


class ToyAccess:
    """Reaches the server of the options."""

    def __init__(self, options: ToyOptions, context: ClusterContext) -> None:
        self.options = options
        self.context = context
        self.tokens = None if options.tokenless else CachedTokens(self, clock=context.clock)

    def mint(self) -> Token:
        """Make a token that lives an hour."""
        return Token(value=f"toy-of-{self.context.name}", expires_at=self.context.clock() + timedelta(hours=1))

    def endpoint(self, *, fresh: bool = False) -> Endpoint:
        """Return the options' server."""
        network = self.context.network
        return Endpoint(
            server=self.options.server,
            ca_pem=self.options.ca_pem.encode() if self.options.ca_pem else None,
            verify_tls=self.options.verify_tls,
            connect_timeout=network.connect_timeout,
            read_timeout=network.read_timeout,
        )

    def node_pools(self) -> NodePools:
        """Refuse."""
        raise NodePoolsUnsupportedError(f"cluster {self.context.name!r} is a toy; it has no node pools")
