"""A simulated API server behind a relay that can be frozen and cut, and pods whose state the test writes."""

from __future__ import annotations

import asyncio
import contextlib
import random
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from multicluster.access.async_client import async_client
from multicluster.access.cached_tokens import CachedTokens
from multicluster.access.endpoint import Endpoint
from multicluster.access.token import Token
from multicluster.pods.events import PodEvents
from multicluster.pods.kubernetes_source import KubernetesSource
from multicluster.pods.pace import Timing
from multicluster.pods.shared_follower import Place
from multicluster.pods.watch import PodWatch
from multicluster.simulator import Delays, World
from multicluster.simulator.kubernetes.resources import PODS

LABELS = {"kubernetes_pod_operator": "True"}
QUICK = Timing(
    watch=60, silence=30, relist=120, first_delay=0.01, most_delay=0.05, give_up=5, forbidden=60, linger=0.05
)
SOON = 10.0
FAR = datetime(2099, 1, 1, tzinfo=UTC)


class Relay:
    """Passes bytes between clients and the API server, until it is told otherwise."""

    def __init__(self, port):
        self.target = port
        self.port = 0
        self.frozen = False
        self.open = set()
        self.peak = 0
        self.server = None

    async def start(self):
        self.server = await asyncio.start_server(self.accept, "127.0.0.1", self.port)
        self.port = self.server.sockets[0].getsockname()[1]

    async def refuse(self):
        """Stop listening, and end what is open."""
        self.server.close()
        self.cut()

    def cut(self):
        for writer in list(self.open):
            writer.transport.abort()

    def freeze(self):
        """Let the open connections fall silent, as when a firewall forgets them; new ones work."""
        for writer in list(self.open):
            writer.frozen = True

    async def accept(self, reader, writer):
        there = await asyncio.open_connection("127.0.0.1", self.target)
        writer.frozen = False
        self.open.add(writer)
        self.peak = max(self.peak, len(self.open))
        passing = [
            asyncio.ensure_future(self.carry(reader, there[1], writer)),
            asyncio.ensure_future(self.carry(there[0], writer, writer)),
        ]
        try:
            await asyncio.wait(passing, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.open.discard(writer)
            for task in passing:
                task.cancel()
            for one in (writer, there[1]):
                one.transport.abort()

    async def carry(self, reader, writer, connection):
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if not connection.frozen:
                    writer.write(data)
                    await writer.drain()


class Source:
    def __init__(self, value):
        self.value = value
        self.mints = 0

    def mint(self):
        self.mints += 1
        return Token(value=self.value, expires_at=FAR, subject="admin")


class Access:
    def __init__(self, endpoint, source):
        self.tokens = CachedTokens(source)
        self.current = endpoint

    def endpoint(self, *, fresh=False):
        return self.current


class Stage:
    """A cluster of the world with pods that nothing runs: their state is what the test writes."""

    def __init__(self, world, name):
        self.name = name
        self.kubernetes = world.entrances[name].kubernetes
        self.token = world.entrances[name].admin_token
        self.faults = world.faults

    def add(self, *names, labels=LABELS):
        for name in names:
            spec = {"schedulerName": "nobody", "containers": [{"name": "base", "image": "x"}]}
            self.kubernetes.create("pods", {"metadata": {"name": name, "labels": labels}, "spec": spec})

    def phase(self, name, phase):
        def mutation(document):
            document["status"]["phase"] = phase

        self.kubernetes._run(lambda: self.kubernetes._store.change(PODS, "default", name, mutation))

    def relabel(self, name, labels):
        def mutation(document):
            document["metadata"]["labels"] = labels

        self.kubernetes._run(lambda: self.kubernetes._store.change(PODS, "default", name, mutation))

    def delete(self, name):
        self.kubernetes.delete("pods", name)

    def event(self, name, message):
        involved = {"kind": "Pod", "name": name, "namespace": "default", "apiVersion": "v1"}
        document = {"metadata": {"generateName": f"{name}."}, "involvedObject": involved, "message": message}
        self.kubernetes.create("events", document)

    def requests(self, plural="pods"):
        counted = self.kubernetes.requests
        return {verb: counted[verb, plural] for verb in ("list", "watch", "get") if counted[verb, plural]}

    @asynccontextmanager
    async def watching(self, timing=QUICK, labels=LABELS):
        """Give the relay, the token source and a watch through them."""
        relay = Relay(int(self.kubernetes.url.rsplit(":", 1)[1]))
        await relay.start()
        tokens = Source(self.token)
        endpoint = Endpoint(
            server=f"https://127.0.0.1:{relay.port}", ca_pem=self.kubernetes.ca_pem, connect_timeout=2, read_timeout=2
        )
        async with await async_client(Access(endpoint, tokens), name=self.name) as client:

            async def lend():
                return client

            def source(kind):
                @asynccontextmanager
                async def connect():
                    yield KubernetesSource(lend, namespace="default", kind=kind, labels=labels)

                return connect

            place = Place(cluster=self.name, namespace="default", timing=timing, chance=random.Random(1))
            scene = SimpleNamespace(relay=relay, source=tokens, client=client, ends=[])
            scene.watch = PodWatch(source("pod"), place, labels=labels, ended=lambda: scene.ends.append(True))
            scene.events = PodEvents(source("event"), place, ended=lambda: scene.ends.append(True))
            try:
                yield scene
            finally:
                await relay.refuse()


@pytest.fixture(scope="session")
def pods_world():
    with World(delays=Delays.none()) as world:
        yield world


@pytest.fixture
def stage(pods_world):
    """Give a fresh cluster."""
    pods_world.faults.clear()
    name = f"gpu-{len(pods_world.entrances)}"
    pods_world.add_plain(name, system_nodes=0)
    yield Stage(pods_world, name)
    pods_world.faults.clear()


@pytest.fixture
def another(pods_world):
    """Give one more cluster."""
    name = f"cpu-{len(pods_world.entrances)}"
    pods_world.add_plain(name, system_nodes=0)
    return Stage(pods_world, name)


async def until(condition):
    """Wait for a condition."""
    async with asyncio.timeout(SOON):
        while not condition():  # noqa: ASYNC110 - mostly a thing of another thread
            await asyncio.sleep(0.005)


async def phase_of(pod):
    sighting = await asyncio.wait_for(pod.read(), SOON)
    return sighting and sighting.phase


async def becomes(pod, phase):
    """Follow the news of a pod until it is in this phase."""
    async with asyncio.timeout(SOON):
        while await phase_of(pod) != phase:
            await pod.news(within=SOON, interval=0.01)


@pytest.fixture
def kit():
    """Give what tests of this folder share."""
    return SimpleNamespace(QUICK=QUICK, LABELS=LABELS, until=until, phase_of=phase_of, becomes=becomes)
