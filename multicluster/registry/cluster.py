"""One cluster of the registry, and everything that can be asked of it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn

from multicluster.access.clock import Clock, system_clock
from multicluster.access.kind import ClusterContext, KindDefinition, no_connections
from multicluster.access.shared import Shared
from multicluster.errors import ClusterCordonedError, CredentialError, UnknownProfileError
from multicluster.registry.async_slot import AsyncSlot
from multicluster.registry.document import ClusterDocument, Limits, PodProfile
from multicluster.registry.identity import accept, check_identity
from multicluster.registry.make_access import make_access
from multicluster.registry.nearest import hint

if TYPE_CHECKING:
    import kubernetes.client
    import kubernetes_asyncio.client

    from multicluster.access.endpoint import Endpoint
    from multicluster.access.kind import ClusterAccess
    from multicluster.access.token import Token
    from multicluster.node_pools.profile import NodePoolProfile
    from multicluster.node_pools.protocol import NodePools

Connections = Callable[[str], Mapping[str, Any]]
"""Looks an Airflow connection up by its id; see ClusterContext.connection."""


class Cluster:
    """A name, and the means to reach what it stands for. Made without I/O; every means is made at first use.

    May be used from many threads. What it made is kept per process (a forked child makes its own), asynchronous clients
    per event loop. Its repr, like everything that may reach a log, shows the name only.
    """

    def __init__(
        self,
        *,
        document: ClusterDocument,
        kind: KindDefinition,
        source: str,
        clock: Clock = system_clock,
        connection: Connections = no_connections,
        shared: Shared | None = None,
    ) -> None:
        self.document = document
        self.source = source
        self._kind = kind
        self._clock = clock
        self._connection = connection
        self._shared = shared or Shared()
        self._made = Shared()
        self._loops: dict[tuple[int, asyncio.AbstractEventLoop], AsyncSlot] = {}

    def __repr__(self) -> str:
        return f"<Cluster {self.name!r}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"cluster {self.name!r} does not travel; send its name, and resolve it over there")

    @property
    def name(self) -> str:
        """Its name in the registry."""
        return self.document.name

    @property
    def kind(self) -> str:
        """How it is reached: inCluster, kubeconfig, eks, gke, or another wheel's kind."""
        return self._kind.name

    @property
    def display_name(self) -> str | None:
        """What people call it."""
        return self.document.display_name

    @property
    def labels(self) -> Mapping[str, str]:
        """What it is selected by."""
        return self.document.labels

    @property
    def pods(self) -> PodProfile:
        """What its pods get unless a task says otherwise."""
        return self.document.pods

    @property
    def limits(self) -> Limits:
        """How much may be made on it by us."""
        return self.document.node_pools.limits

    @property
    def region(self) -> str | None:
        """The cloud's region; None where its kind knows none."""
        return self._kind.region(self.document.auth.options) if self._kind.region else None

    def console_url(self, pool: str) -> str | None:
        """Return the page of a node pool in the cloud's console; None where its kind knows none. Asks nobody."""
        return self._kind.console_url(self.document.auth.options, pool) if self._kind.console_url else None

    @property
    def access(self) -> ClusterAccess:
        """The kind's access, the same one each time. Raises MissingExtraError."""
        return self._made.once("access", self._make_access)

    def client(self) -> kubernetes.client.ApiClient:
        """Return the client of this process; it renews its own credentials. The first call may block."""
        from multicluster.access.sync_client import sync_client

        access = self.access
        return self._made.once("client", lambda: sync_client(access, name=self.name, accept=self.accept))

    async def async_client(self) -> kubernetes_asyncio.client.ApiClient:
        """Return the client of this event loop, a new one when the last was closed; nothing blocks the loop."""
        return await self._slot().client(self)

    @asynccontextmanager
    async def keeping_async_client(self) -> AsyncIterator[None]:
        """Keep this event loop's client for the block; the last one out closes it, the next caller gets a new one."""
        slot = self._slot()
        slot.keepers += 1
        try:
            yield
        finally:
            slot.keepers -= 1
            if not slot.keepers:
                self._loops.pop((os.getpid(), asyncio.get_running_loop()), None)
                await slot.close()

    def _slot(self) -> AsyncSlot:
        for key in [key for key in list(self._loops) if key[1].is_closed()]:
            if (left := self._loops.pop(key, None)) is not None:
                left.abandon()
        return self._loops.setdefault((os.getpid(), asyncio.get_running_loop()), AsyncSlot())

    def token(self) -> Token:
        """Return a bearer token that is still good; blocks while one is minted. Raises CredentialError."""
        tokens = self.access.tokens
        if tokens is None:
            raise CredentialError(f"cluster {self.name!r} is not reached by bearer token (its kind is {self.kind})")
        return tokens.token()

    def node_pools(self) -> NodePools:
        """Return its node pools. Raises NodePoolsUnsupportedError for kinds that have none."""
        access = self.access
        return self._made.once("node pools", access.node_pools)

    def node_selector(self, pool: str) -> tuple[str, str]:
        """Return the label of a node pool's nodes, whether there is such a pool or not; asks nobody where it can.

        Raises NodePoolsUnsupportedError for kinds that have none.
        """
        label = self._kind.node_label
        return (label, pool) if label else self.node_pools().node_selector(pool)

    def profile(self, name: str) -> NodePoolProfile:
        """Return the node-pool profile of that name. Raises UnknownProfileError."""
        profiles = self.document.node_pools.profiles
        if name not in profiles:
            raise UnknownProfileError(
                f"cluster {self.name!r} has no node-pool profile named {name!r} ({self.source}); {hint(name, profiles)}"
            )
        return profiles[name]

    def check_identity(self) -> None:
        """Raise ClusterIdentityError unless the API server is the one that the registry pins.

        Asks nothing where nothing is pinned; blocks for one request otherwise.
        """
        check_identity(self)

    def accept(self, endpoint: Endpoint) -> None:
        """Raise ClusterIdentityError for an endpoint whose CA is not pinned, where the registry pins one.

        Clients ask before they connect, also to where the cluster says that it moved.
        """
        accept(self, endpoint)

    def refuse_if_cordoned(self, now: datetime) -> None:
        """Raise ClusterCordonedError while a cordon holds: until its ``until``, if it has one."""
        cordon = self.document.cordoned
        if (
            cordon is None
            or (cordon.until is not None and cordon.until <= now)
            or (cordon.since and now < cordon.since)
        ):
            return
        since = f" since {cordon.since.isoformat()}" if cordon.since else ""
        until = f" until {cordon.until.isoformat()}" if cordon.until else ""
        raise ClusterCordonedError(
            f"cluster {self.name!r} is cordoned{since}{until}: {cordon.reason}; "
            f"use another cluster, or lift the cordon in {self.source}"
        )

    def _make_access(self) -> ClusterAccess:
        context = ClusterContext(
            name=self.name,
            network=self.document.network.network(),
            clock=self._clock,
            node_pools=self.document.node_pools.options,
            connection=self._connection,
            shared=self._shared,
        )
        return make_access(self._kind, self.document.auth.options, context)
