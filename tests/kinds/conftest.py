"""A simulated world and the means to open its clusters."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
from kubernetes.client import CoreV1Api

from multicluster.access.kind import ClusterContext
from multicluster.access.shared import Shared
from multicluster.access.sync_client import sync_client
from multicluster.kinds.eks.access import EksAccess
from multicluster.kinds.eks.options import EksOptions
from multicluster.kinds.gke.access import GkeAccess
from multicluster.kinds.gke.options import GkeOptions
from multicluster.simulator import World
from multicluster.simulator.delays import Delays

UNSET = ("GOOGLE_APPLICATION_CREDENTIALS", "AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ROLE_ARN", "KUBECONFIG")


@pytest.fixture
def world() -> Iterator[World]:
    with World(delays=Delays.none()) as made:
        yield made


@pytest.fixture
def enter(world, monkeypatch):
    """Lead the process's clients to the world; to be called when its clusters are there."""

    def lead():
        for name in UNSET:
            monkeypatch.delenv(name, raising=False)
        for name, value in world.env().items():
            monkeypatch.setenv(name, value)
        # google-auth reads this one when it is imported, and each test has a world of its own.
        monkeypatch.setattr("google.auth.compute_engine._metadata._GCE_METADATA_HOST", world.metadata_host)

    return lead


class Silent:
    """A port that accepts connections and never answers."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self.port: int = listening.getsockname()[1]

    def connections(self) -> int:
        """How many connections were made so far; to be asked once."""
        self._listening.setblocking(False)  # noqa: FBT003 - the standard library's
        made = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                self._listening.accept()[0].close()
                made += 1
        return made


@pytest.fixture
def silent() -> Iterator[Silent]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield Silent(listening)


class Clusters:
    """Opens clusters by their options; all of one instance share sessions, as those of one registry do."""

    def __init__(self) -> None:
        self.shared = Shared()
        self.connections: dict[str, dict] = {}

    def _context(self, name):
        def connection(connection_id):
            if connection_id not in self.connections:
                raise LookupError(f"the connection {connection_id!r} isn't defined")
            return self.connections[connection_id]

        return ClusterContext(name=name, shared=self.shared, connection=connection)

    def eks(self, cluster_name="gpu", region="us-east-1", name="gpu-use1", **options):
        document = {"clusterName": cluster_name, "region": region, **options}
        return EksAccess(EksOptions.model_validate_json(json.dumps(document)), self._context(name))

    def gke(self, cluster_name="gpu", name="gpu-euw4", **options):
        document = {"projectId": "acme", "location": "europe-west4", "clusterName": cluster_name, **options}
        return GkeAccess(GkeOptions.model_validate_json(json.dumps(document)), self._context(name))


@pytest.fixture
def clusters() -> Clusters:
    return Clusters()


@pytest.fixture
def core():
    def make(access, name="gpu"):
        return CoreV1Api(sync_client(access, name=name))

    return make


class Watcher:
    """Notes files opened for writing, child processes and host names looked up, while ``on``."""

    def __init__(self) -> None:
        self.on = False
        self.written: list[str] = []
        self.processes: list[str] = []
        self.hosts: list[str] = []
        sys.addaudithook(self._see)

    def _see(self, event, args):
        if not self.on:
            return
        if event == "open" and isinstance(args[0], str) and isinstance(args[1], str) and set(args[1]) & set("wax+"):
            self.written.append(args[0])
        if event in {"subprocess.Popen", "os.system", "os.posix_spawn", "os.exec"}:
            self.processes.append(str(args[0]))
        if event == "socket.getaddrinfo":
            self.hosts.append(str(args[0]))

    @contextlib.contextmanager
    def watching(self):
        self.on = True
        try:
            yield self
        finally:
            self.on = False


@pytest.fixture
def watcher():
    return Watcher()


@pytest.fixture
def subprocess_refused(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a subprocess was started")

    monkeypatch.setattr(subprocess, "Popen", refuse)
