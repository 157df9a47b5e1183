"""Find how a kubeconfig's user proves who it is."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from datetime import UTC, datetime

from multicluster.access.cached_tokens import CachedTokens
from multicluster.access.endpoint import Endpoint
from multicluster.access.kind import ClusterContext
from multicluster.access.token import Token
from multicluster.errors import CredentialError
from multicluster.kinds.kubeconfig.entry import Entry
from multicluster.kinds.kubeconfig.known_plugins import EksPlugin, GkePlugin, region_of
from multicluster.kinds.kubeconfig.token_text import token_text

FOR_EVER = datetime.max.replace(tzinfo=UTC)


class StaticToken:
    """A user's ``token``: read again when it was refused, since somebody may have replaced it."""

    def __init__(self, read: Callable[[], Entry]) -> None:
        self._read = read

    def mint(self) -> Token:
        """Return the token that stands in the file now."""
        user = self._read()
        given = user.text("token")
        if not given:
            raise user.refuse("token", "is gone")
        value = token_text(given)
        if value is None:
            raise user.refuse("token", "holds white space or other characters that no token has")
        return Token(value=value, expires_at=FOR_EVER, subject=f"kubeconfig user {user.name!r}")


def basic_authorization(user: Entry) -> str | None:
    """Return the Authorization header of a user with name and password."""
    if not user.text("username"):
        return None
    pair = f"{user.text('username')}:{user.text('password') or ''}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def eks_tokens(plugin: EksPlugin, server: str, context: ClusterContext) -> CachedTokens:
    """Return tokens signed in process in place of *plugin*; *server* tells the region when nothing else does."""
    from pydantic import ValidationError

    from multicluster.kinds.eks.access import EksAccess
    from multicluster.kinds.eks.options import AwsCredentials, AwsRole, EksOptions
    from multicluster.kinds.eks.validation_words import without_input

    try:
        roles: tuple[AwsRole, ...] = ()
        if plugin.role_arn:
            role = AwsRole(role_arn=plugin.role_arn, external_id=plugin.external_id, session_name=plugin.session_name)
            roles = (role,)
        options = EksOptions(
            cluster_name=plugin.cluster_name,
            region=plugin.region or region_of(server) or _region_of_machine(plugin, context.name),
            credentials=AwsCredentials(profile=plugin.profile, roles=roles),
        )
    except ValidationError as error:
        words = without_input(error)
        raise CredentialError(f"cluster {context.name!r}: the kubeconfig's exec plugin is wrong: {words}") from None
    return EksAccess(options, context).tokens


def gke_tokens(plugin: GkePlugin, endpoint: Endpoint, context: ClusterContext) -> CachedTokens:
    """Return Google access tokens in place of *plugin*; refuses to send them where TLS is not verified."""
    from multicluster.kinds.gke.options import GoogleCredentials
    from multicluster.kinds.gke.tokens import google_tokens

    if not endpoint.verify_tls or not endpoint.server.startswith("https://"):
        raise CredentialError(
            f"cluster {context.name!r}: a Google token opens every cluster of its owner, and is not sent where TLS is "
            "not verified; remove insecure-skip-tls-verify and give the CA"
        )
    return google_tokens(GoogleCredentials(service_account_file=plugin.service_account_file), context)


def _region_of_machine(plugin: EksPlugin, name: str) -> str:
    import botocore.session
    from botocore.exceptions import ProfileNotFound

    try:
        session = botocore.session.Session(profile=plugin.profile, include_builtin_handlers=False)
        region: str | None = os.environ.get("AWS_REGION") or session.get_config_variable("region")
    except ProfileNotFound as error:
        raise CredentialError(f"cluster {name!r}: AWS profile {plugin.profile!r} is not on this machine") from error
    if not region:
        raise CredentialError(f"cluster {name!r}: the kubeconfig's exec plugin names no region; add --region")
    return region
