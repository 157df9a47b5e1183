"""Share Google credentials, and make token caches of them."""

from __future__ import annotations

from functools import partial

from multicluster.access.cached_tokens import CachedTokens
from multicluster.access.kind import ClusterContext
from multicluster.kinds.gke.credentials import google_credentials, whose
from multicluster.kinds.gke.errors import credential_errors
from multicluster.kinds.gke.options import GoogleCredentials
from multicluster.kinds.gke.session import GoogleSession
from multicluster.kinds.gke.token_source import GkeTokenSource


def google_tokens(options: GoogleCredentials, context: ClusterContext) -> CachedTokens:
    """Return a token cache for one cluster; nobody is asked for a token yet."""
    session = partial(shared_session, options, context)
    source = GkeTokenSource(session, name=context.name, subject=whose(options), clock=context.clock)
    return CachedTokens(source, clock=context.clock)


def shared_session(options: GoogleCredentials, context: ClusterContext) -> GoogleSession:
    """Return the one session of these credentials in this process and registry. Raises CredentialError."""

    def start() -> GoogleSession:
        with credential_errors(context.name, whose(options)):
            credentials = google_credentials(
                options, connections=context.connection, name=context.name, network=context.network
            )
        return GoogleSession.of(credentials, context.network)

    return context.shared.once(("google session", options, context.network), start)
