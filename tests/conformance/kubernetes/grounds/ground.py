"""What a ground offers to the cases: a Kubernetes cluster, its identities and its nodes."""

from __future__ import annotations

import json
import tempfile
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from kubernetes import client, config

from .wire import Answer, Wire

ADMIN = "conformance-admin"
ANONYMOUS = ""
Taint = Mapping[str, str]


class Cluster(Protocol):
    """What differs between the grounds: where the cluster comes from."""

    def kubeconfig(self, user: str, groups: tuple[str, ...]) -> dict[str, Any]:
        """Return a kubeconfig with which one is that user."""
        ...

    def add_node(self, name: str, gpus: int, labels: Mapping[str, str], taints: Iterable[Taint]) -> None:
        """Let a node join and return when it is ready."""
        ...

    def remove_node(self, name: str) -> None:
        """Let a node go, with its object."""
        ...


class Ground:
    """One cluster, as the cases see it. They never ask which it is."""

    def __init__(self, cluster: Cluster, folder: Path | None = None) -> None:
        self._cluster = cluster
        self._folder = folder or Path(tempfile.mkdtemp(prefix="conformance-"))
        self._kubeconfigs: dict[str, Path] = {}
        self._wires: dict[str, Wire] = {}
        self._clients: dict[str, client.ApiClient] = {}

    @cached_property
    def admin(self) -> client.ApiClient:
        """A client of an administrator."""
        return self.user(ADMIN, ("system:masters",))

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig of an administrator."""
        return self.kubeconfig_of(ADMIN, ("system:masters",))

    def user(self, name: str, groups: tuple[str, ...] = ()) -> client.ApiClient:
        """Return a client of another identity, which has no rights but those it is given through the API."""
        if name not in self._clients:
            path = self.kubeconfig_of(name, groups)
            self._clients[name] = config.new_client_from_config(config_file=str(path))
        return self._clients[name]

    def kubeconfig_of(self, name: str, groups: tuple[str, ...] = ()) -> Path:
        """Return the kubeconfig of an identity. Its groups are those of the first call."""
        if name not in self._kubeconfigs:
            path = self._folder / f"{len(self._kubeconfigs)}.kubeconfig"
            path.write_text(json.dumps(self._cluster.kubeconfig(name, tuple(groups))))
            self._kubeconfigs[name] = path
        return self._kubeconfigs[name]

    def raw(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] = {},
        user: str | None = None,
    ) -> Answer:
        """Send one request and return status, headers, and the body: read if it is JSON, else as text.

        A body that is no text or bytes is sent as JSON. `user` is the administrator for None, nobody for ANONYMOUS.
        """
        return self._wire(ADMIN if user is None else user).send(method, path, body, headers)

    @contextmanager
    def node(self, gpus: int = 0, labels: Mapping[str, str] = {}, taints: Iterable[Taint] = ()) -> Iterator[str]:
        """Add a node, give its name once it is ready, and remove it in the end. Taints are as in the API."""
        name = f"conformance-{uuid.uuid4().hex[:6]}"
        self._cluster.add_node(name, gpus, labels, list(taints))
        try:
            yield name
        finally:
            self._cluster.remove_node(name)

    def close(self) -> None:
        """Close the clients."""
        for api_client in self._clients.values():
            api_client.close()

    def _wire(self, user: str) -> Wire:
        if user not in self._wires:
            if user == ANONYMOUS:
                self._wires[user] = Wire(self.kubeconfig, anonymous=True)
            else:
                groups = ("system:masters",) if user == ADMIN else ()
                self._wires[user] = Wire(self.kubeconfig_of(user, groups))
        return self._wires[user]
