"""Build the AWS session of one set of credentials."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialProvider,
    CredentialResolver,
    DeferredRefreshableCredentials,
)
from botocore.exceptions import ConnectTimeoutError, ProfileNotFound, ReadTimeoutError

from multicluster.access.kind import Network
from multicluster.access.single_flight import PerProcessLock
from multicluster.errors import CredentialError
from multicluster.kinds.eks.connection import AwsConnection, Connections, read_connection
from multicluster.kinds.eks.credential_process import bound_processes
from multicluster.kinds.eks.discretion import discreet
from multicluster.kinds.eks.options import AwsCredentials, AwsRole


def aws_session(
    options: AwsCredentials, *, region: str, connections: Connections, name: str, network: Network
) -> botocore.session.Session:
    """Return a session whose credentials renew themselves; nobody is asked for credentials yet.

    *name* is the cluster's, for errors. Raises CredentialError for a profile or a connection that cannot be used.
    """
    connection = AwsConnection()
    if options.connection:
        connection = read_connection(options.connection, connections, name=name)
    try:
        core = _LateHandlers(profile=options.profile or connection.profile)
        core.set_config_variable("region", region)
        core.set_default_client_config(_client_config(network))
        load = connection.credentials or bound_processes(core.get_component("credential_provider")).load_credentials
    except ProfileNotFound as error:
        raise CredentialError(
            f"cluster {name!r}: AWS profile {error.kwargs.get('profile')!r} is not in the AWS config files of this "
            "machine; add it, or use roles or a connection, which every machine can resolve"
        ) from error
    for role in (*connection.roles, *options.roles):
        load = partial(_assume, core, load, role, region)
    core.register_component("credential_provider", CredentialResolver([_Provider(load)]))
    return core


def whose(options: AwsCredentials) -> str:
    """Return the identity in words, as far as it is known without asking AWS."""
    base = "the default AWS credentials"
    if options.profile:
        base = f"AWS profile {options.profile!r}"
    elif options.connection:
        base = f"the connection {options.connection!r}"
    return f"role {options.roles[-1].role_arn} (by way of {base})" if options.roles else base


class _LateHandlers(botocore.session.Session):
    """A session that gets botocore's 130 event handlers with its first client: a token is signed without any."""

    def __init__(self, *, profile: str | None) -> None:
        super().__init__(include_builtin_handlers=False, profile=profile)
        self._missing = PerProcessLock()
        self._complete = False

    def create_client(self, *arguments: Any, **options: Any) -> Any:
        with self._missing:
            if not self._complete:
                session: Any = self
                session._register_builtin_handlers(session._events)  # noqa: SLF001  the parent's, at another time
                self._complete = True
        create: Any = super().create_client
        client = discreet(create(*arguments, **options))
        client.meta.events.register("needs-retry", _wait_once)
        return client


def _wait_once(caught_exception: Exception | None = None, **_event: Any) -> None:
    """Keep botocore from waiting out the same time-out again: four silences in a row are minutes."""
    if isinstance(caught_exception, ConnectTimeoutError | ReadTimeoutError):
        raise caught_exception


class _Provider(CredentialProvider):  # type: ignore[misc, unused-ignore]
    """botocore's name for a way to load credentials."""

    METHOD = "multicluster"

    def __init__(self, load: Callable[[], Any]) -> None:
        super().__init__()
        self._load = load

    def load(self) -> Any:
        return self._load()


def _assume(core: botocore.session.Session, load: Callable[[], Any], role: AwsRole, region: str) -> Any:
    """Return credentials of *role* that renew themselves with the credentials that *load* returns, or None."""
    source = load()
    if source is None:
        return None
    extra: dict[str, Any] = {"RoleSessionName": role.session_name, "DurationSeconds": role.duration_seconds}
    if role.external_id:
        extra["ExternalId"] = role.external_id
    fetcher = AssumeRoleCredentialFetcher(
        partial(core.create_client, region_name=region), source, role.role_arn, extra_args=extra
    )
    return DeferredRefreshableCredentials(refresh_using=fetcher.fetch_credentials, method="assume-role")


def _client_config(network: Network) -> Config:
    return Config(
        connect_timeout=network.connect_timeout,
        read_timeout=network.read_timeout,
        retries={"mode": "standard", "total_max_attempts": 4},
    )
