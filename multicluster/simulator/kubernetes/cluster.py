"""One simulated Kubernetes cluster, put together and switched on and off."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import ssl
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from multicluster.simulator.clock import Clock
from multicluster.simulator.faults import Faults
from multicluster.simulator.host import Host
from multicluster.simulator.kubernetes.admission import Admission
from multicluster.simulator.kubernetes.api.authorization import Authorizer
from multicluster.simulator.kubernetes.api.objects import Objects
from multicluster.simulator.kubernetes.api.server import ApiServer
from multicluster.simulator.kubernetes.controllers.garbage import OrphanCollector, OwnerCollector
from multicluster.simulator.kubernetes.controllers.jobs import JobController
from multicluster.simulator.kubernetes.controllers.namespaces import NamespaceController
from multicluster.simulator.kubernetes.controllers.taints import TaintEviction
from multicluster.simulator.kubernetes.delays import PodDelays
from multicluster.simulator.kubernetes.deletion import Deletion
from multicluster.simulator.kubernetes.documents import Document, copied
from multicluster.simulator.kubernetes.events import EventRecorder
from multicluster.simulator.kubernetes.gpu_seconds import GpuAccounting, GpuSeconds
from multicluster.simulator.kubernetes.kubelet.images import Images
from multicluster.simulator.kubernetes.kubelet.kubelet import Kubelet
from multicluster.simulator.kubernetes.kubelet.node_services import NodeServices
from multicluster.simulator.kubernetes.kubelet.processes import Processes
from multicluster.simulator.kubernetes.nodes import Nodes, NodeShape
from multicluster.simulator.kubernetes.quotas import Quotas
from multicluster.simulator.kubernetes.resources import NAMESPACES, NODES, resource_named
from multicluster.simulator.kubernetes.scheduler.scheduler import Scheduler
from multicluster.simulator.kubernetes.service_accounts import ServiceAccountTokens
from multicluster.simulator.kubernetes.store import Store
from multicluster.simulator.kubernetes.users import ADMIN, Authenticate, Judged, User
from multicluster.simulator.tls import CertificateAuthority

T = TypeVar("T")
_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
_NAMES = ("kubernetes", "kubernetes.default", "kubernetes.default.svc")


class KubernetesCluster:
    """API server, scheduler, kubelets and controllers of one cluster, on a host's loop.

    Containers run as processes of this user, without isolation. All methods are thread-safe; from a coroutine of the
    host's loop they act at once, from elsewhere they block until they have acted. `start` and `stop` are for other
    threads only.
    """

    judged = Judged()
    """Tokens are judged in this process, and counted by their clouds."""

    def __init__(
        self,
        name: str,
        *,
        host: Host,
        clock: Clock,
        root: Path,
        authenticate: Authenticate,
        delays: PodDelays = PodDelays(),  # noqa: B008 - frozen
        faults: Faults | None = None,
        rbac: bool = False,
        version: str = "1.35.4",
        images: Images = Images(),  # noqa: B008 - frozen
    ) -> None:
        self.name = name
        self.url = ""
        self.stand_in = ""
        self.admin = {"token": "admin-" + secrets.token_urlsafe(24)}
        """What the administrator shows: the user of a kubeconfig."""
        self.faults = faults if faults is not None else Faults()
        self._host = host
        self._folder = root / name
        self._authority = CertificateAuthority(name)
        self._context: ssl.SSLContext | None = None
        self._port = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._store = Store(clock)
        self._events = EventRecorder(self._store)
        self._deletion = Deletion(self._store)
        tokens = ServiceAccountTokens(clock.now)
        self._services = NodeServices(
            store=self._store,
            clock=clock,
            delays=delays,
            events=self._events,
            deletion=self._deletion,
            processes=Processes(self._folder, clock),
            images=images,
            tokens=tokens,
            folder=self._folder,
        )
        self._owners = OwnerCollector(self._store, self._deletion)
        self._kubelet = Kubelet(self._services)
        self._orphans = OrphanCollector(self._store, delays.orphan_collection)
        self._evictions = TaintEviction(self._store, self._deletion, self._events)
        self._scheduler = Scheduler(self._store, clock, self._events, delays)
        self._nodes = Nodes(self._store, self._events, self._deletion, version)
        self._gpus = GpuAccounting(self._store, clock.now)
        self._admission = Admission(self._store, Quotas(self._store))
        self._jobs = JobController(self._store, self._admission, self._deletion, self._events)
        self._namespaces = NamespaceController(self._store, self._deletion, self._authority.pem)
        self._server = ApiServer(
            store=self._store,
            objects=Objects(self._store, self._admission, self._deletion),
            kubelet=self._kubelet,
            services=self._services,
            authenticate=lambda token: self._admin(token) or tokens.user(token) or authenticate(token),
            faults=self.faults,
            authorizer=Authorizer(self._store, enforced=rbac),
            version=version,
        )

    def _admin(self, token: str) -> User | None:
        return ADMIN if secrets.compare_digest(token.encode(), self.admin["token"].encode()) else None

    @property
    def ca_pem(self) -> bytes:
        """The certificate of the CA that signs the API server's."""
        return self._authority.pem

    @property
    def requests(self) -> Counter[tuple[str, str]]:
        """How often each (verb, resource) was requested."""
        return self._server.requests

    @property
    def gpu_seconds(self) -> dict[str, GpuSeconds]:
        """GPU-seconds advertised and in use, by node, also of nodes that are gone."""
        return self._run(self._gpus.totals)

    def start(self, port: int = 0) -> None:
        """Serve on 127.0.0.1, on a free port for 0."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._context = self._authority.server_context((*_NAMES, self.name))
        self._host.run(self._begin)
        self._port = self._host.serve(self._server.handle, self._context, port)
        self.url = f"https://127.0.0.1:{self._port}"

    def stop(self) -> None:
        """Stop serving; leave no process and no folder behind. Calling twice does nothing more."""
        self._host.unserve(self._port)
        if not self._host.loop.is_closed():
            self._host.call(self._end())
        self._services.processes.dismiss()
        shutil.rmtree(self._folder, ignore_errors=True)

    def rotate_certificate(self) -> None:
        """Change to a new CA: `ca_pem` is a new one, open connections are cut, clients with the old one fail."""
        self._authority = CertificateAuthority(self.name)
        if self._context is not None:
            self._authority.renew(self._context, (*_NAMES, self.name))
            self._host.disconnect(self._port)

    def add_node(self, name: str, shape: NodeShape) -> None:
        """Let a node join. Not ready, it carries the not-ready taints until `set_node(ready=True)`."""
        self._run(lambda: self._nodes.add(name, shape))

    def set_node(
        self,
        name: str,
        *,
        ready: bool | None = None,
        allocatable: Mapping[str, str] | None = None,
        remove_taints: Iterable[str] = (),
    ) -> None:
        """Change a node: its readiness, more of what it offers, taints to take off by key."""
        keys = list(remove_taints)
        self._run(lambda: self._nodes.change(name, ready=ready, allocatable=allocatable, remove_taints=keys))

    def drain_node(self, name: str) -> None:
        """Cordon a node and delete its pods with their grace periods, as a node group's update or deletion does."""
        self._run(lambda: self._nodes.drain(name))

    def remove_node(self, name: str) -> None:
        """Let a node vanish with everything on it; its pods are found lost a moment later. Twice is once."""

        def vanish() -> None:
            self._kubelet.node_lost(name)
            if self._store.find(NODES, "", name) is not None:
                self._store.remove(NODES, "", name)

        self._run(vanish)

    async def settled(self, name: str) -> None:
        """Return at once: a simulated node has already done what it was told."""

    def objects(self, resource: str, namespace: str | None = None) -> list[Document]:
        """Return copies of the objects of a resource by its plural. Raises KeyError for an unknown one."""
        kept = resource_named(resource)
        found: list[Document] = self._run(lambda: copied(self._store.all(kept, namespace)))
        return found

    def wait_until(
        self, resource: str, condition: Callable[[list[Document]], bool], *, timeout: float = 10.0
    ) -> list[Document]:
        """Block until the objects of a resource meet a condition, and return them.

        `timeout` is in seconds of the machine's clock; raises TimeoutError that names what was there. Not from the
        host's loop.
        """

        async def wait() -> list[Document]:
            while not condition(found := copied(self._store.all(resource_named(resource)))):
                await self._store.changed(self._store.version)
            return list(found)

        try:
            return self._host.call(asyncio.wait_for(wait(), timeout), timeout + 5)
        except TimeoutError as error:
            message = f"{resource} of {self.name} did not get there in {timeout:g} s: {self.objects(resource)}"
            raise TimeoutError(message) from error

    def create(self, resource: str, document: Document, namespace: str = "default") -> Document:
        """Create an object past the API server's door, with its checks and defaults. Raises `ApiError`."""
        kept = resource_named(resource)
        place = namespace if kept.namespaced else ""
        created: Document = self._run(
            lambda: copied(self._store.create(kept, self._admission.new(kept, place, document)))
        )
        return created

    def delete(self, resource: str, name: str, namespace: str = "default") -> None:
        """Delete an object at once: no grace, no finalizers, no controllers. Raises `ApiError` 404."""
        kept = resource_named(resource)
        self._run(lambda: self._store.remove(kept, namespace if kept.namespaced else "", name))

    def forget_history(self) -> None:
        """Forget all past changes, as etcd's compaction does: watches and pages that ask for them get 410."""
        self._run(self._store.forget)

    @property
    def processes(self) -> int:
        """How many container processes run now."""
        return self._services.processes.running

    def _run(self, function: Callable[[], T]) -> T:
        return self._host.run(function)

    def _begin(self) -> None:
        for namespace in _NAMESPACES:
            if self._store.find(NAMESPACES, "", namespace) is None:
                document = {"metadata": {"name": namespace}}
                self._store.create(NAMESPACES, self._admission.new(NAMESPACES, "", document))
        self._tasks += [asyncio.ensure_future(self._scheduler.run()), asyncio.ensure_future(self._jobs.run())]

    async def _end(self) -> None:
        self._orphans.stop()
        self._evictions.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        await self._kubelet.stop()
