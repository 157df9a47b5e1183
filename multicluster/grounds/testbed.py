"""Put a cluster on a testbed: a real API server, and a real kubelet for every node that a cloud rents."""

from __future__ import annotations

import asyncio
import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp

from multicluster.grounds.api import MERGE_PATCH, Admin, Api
from multicluster.grounds.launcher import Launcher, TestbedError
from multicluster.grounds.lifeline import Lifeline
from multicluster.grounds.mirror import Mirror
from multicluster.grounds.orders import Orders, Work
from multicluster.simulator.kubernetes.documents import Document, at, copied, name_of, namespace_of
from multicluster.simulator.kubernetes.gpu_seconds import GpuAccounting, GpuSeconds
from multicluster.simulator.kubernetes.resources import NODES, PODS, resource_named
from multicluster.simulator.kubernetes.status import ApiError
from multicluster.simulator.kubernetes.users import Judged

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from multicluster.simulator.clock import Clock
    from multicluster.simulator.host import Host
    from multicluster.simulator.kubernetes.nodes import NodeShape

GPU = "nvidia.com/gpu"
DAEMON_SETS = resource_named("daemonsets")
KUBELETS_OWN_TAINT = "node.cloudprovider.kubernetes.io/uninitialized"
READY_SECONDS = 180
NOT_FOUND = 404


class TestbedCluster:
    """One testbed. Orders to nodes return at once and are carried out in turn, node by node; see ``settled``."""

    __test__ = False
    stand_in = "busybox:1.37"

    def __init__(self, name: str, *, host: Host, clock: Clock, launcher: Launcher, verifier: tuple[str, ...]) -> None:
        self.name, self.url = name, ""
        self.judge = ""
        """The program and release that judges bearer tokens; empty where none leads in."""
        self._host, self._clock, self._launcher, self._verifier = host, clock, launcher, verifier
        self._orders = Orders()
        self._there: set[str] = set()
        self._lifeline: Lifeline | None = None

    @property
    def ca_pem(self) -> bytes:
        """The certificate of the testbed's CA."""
        return self._admin.ca_pem

    @property
    def admin(self) -> Mapping[str, str]:
        """The client certificate of the testbed's administrator, as a kubeconfig has it."""
        return self._admin.user

    @property
    def judged(self) -> Judged:
        """How often the verifier said yes and no, by its own log."""
        return read_verdicts(self._verdicts)

    @property
    def gpu_seconds(self) -> dict[str, GpuSeconds]:
        """GPU-seconds advertised and in use, by node, also of nodes that are gone."""
        return self._host.run(self._gpus.totals)

    @property
    def containers(self) -> tuple[str, ...]:
        """The ids of all containers that pods reported, outside kube-system, in the order they were first seen."""
        return self._host.run(lambda: tuple(self._containers))

    def start(self) -> None:
        """Start etcd, API server, scheduler and controllers, and block until they answer. Raises TestbedError."""
        home = self._launcher.home
        home.mkdir(parents=True, mode=0o700)
        self._lifeline = Lifeline(self._launcher.words("down"), home.with_suffix(".log"))
        verifier = [f"--verifier-argument={one}" for one in self._verifier]
        answer = self._launcher.ask("up", "--cluster-name", self.name, "--nodes", "0", *verifier)
        self._admin = Admin.from_kubeconfig(Path(answer["kubeconfig"]).read_text())
        self.judge, self._verdicts = answer["judge"], Path(answer["logs"]) / "verifier.log"
        self._host.call(self._open())
        self.url = self._admin.url

    async def _open(self) -> None:
        self._api = Api(self._admin)
        self._mirror = Mirror(self._api, (NODES, PODS, DAEMON_SETS))
        self._gpus = GpuAccounting(self._mirror, self._clock.now)
        self._containers: dict[str, None] = {}
        self._mirror.subscribe(lambda change: self._note(change.resource is PODS, change.document))

    def _note(self, pod: bool, document: Document) -> None:  # noqa: FBT001 - called once
        if pod and namespace_of(document) != "kube-system":
            statuses = at(document, "status", "containerStatuses", default=[])
            self._containers.update(dict.fromkeys(one["containerID"] for one in statuses if one.get("containerID")))

    def stop(self) -> None:
        """End the testbed with every kubelet and container; raises TestbedError when something may be left."""
        if self._lifeline is None:
            return
        if self.url and not self._host.loop.is_closed():
            self._host.call(self._close(), READY_SECONDS + 60)
        self._launcher.ask("down")
        self._lifeline.dismiss()
        self._lifeline = None

    async def _close(self) -> None:
        await self._orders.stop()
        await self._mirror.stop()
        await self._api.close()

    def kubelets(self) -> tuple[str, ...]:
        """Return the nodes whose kubelets run, whatever the API server knows. Blocks."""
        return tuple(node["name"] for node in self._launcher.ask("status")["nodes"] if node["running"])

    def rotate_certificate(self) -> None:
        """Refuse: a real API server keeps its CA."""
        raise ValueError(f"{self.name} is a testbed: its CA does not change")

    def objects(self, resource: str, namespace: str | None = None) -> list[Document]:
        """Return copies of the nodes, pods or daemonsets last heard of. Raises KeyError for another resource."""
        kept = resource_named(resource)
        found: list[Document] = self._host.run(lambda: copied(self._mirror.all(kept, namespace)))
        return found

    def create(self, resource: str, document: dict[str, Any], namespace: str = "default") -> Document:
        """Create an object and wait until it is known here. Raises ApiError."""
        return self._host.call(self._create(resource, document, namespace), READY_SECONDS + 60)

    async def _create(self, resource: str, document: dict[str, Any], namespace: str) -> Document:
        kept = resource_named(resource)
        prefix = f"/apis/{kept.group}" if kept.group else "/api"
        created = await self._api.request(
            "POST", f"{prefix}/{kept.version}/namespaces/{namespace}/{kept.plural}", document
        )
        await self._mirror.until(
            lambda: self._mirror.find(kept, namespace, name_of(created)) is not None, seconds=READY_SECONDS
        )
        return created

    def add_node(self, name: str, shape: NodeShape) -> None:
        """Start a kubelet that registers itself with labels and taints; its capacity is the machine's own."""
        words = [f"--label={key}={value}" for key, value in shape.labels.items()]
        words += [f"--taint={taint_word(taint)}" for taint in shape.taints if taint["key"] != KUBELETS_OWN_TAINT]
        words += [f"--provider-id={shape.provider_id}"] if shape.provider_id else []
        self._there.add(name)
        self._launch(name, "node", "add", name, *words)
        if shape.ready:
            self.set_node(name, ready=True)

    def set_node(
        self,
        name: str,
        *,
        ready: bool | None = None,
        allocatable: Mapping[str, str] | None = None,
        remove_taints: Iterable[str] = (),
    ) -> None:
        """Wait for the kubelet to be Ready and take taints off; let it offer the GPUs of ``allocatable``."""
        keys = set(remove_taints)
        if ready:
            self._order(name, lambda: self._finish(name, keys))
        if allocatable and GPU in allocatable:
            self._launch(name, "node", "gpus", name, allocatable[GPU])

    def drain_node(self, name: str) -> None:
        """Cordon a node and delete its pods with their grace periods, those of DaemonSets apart."""
        self._order(name, lambda: self._drain(name))

    def remove_node(self, name: str) -> None:
        """End a kubelet with its containers, and take its Node away. Twice is once."""
        if name in self._there:
            self._there.discard(name)
            self._launch(name, "node", "remove", name)

    async def settled(self, name: str) -> None:
        """Wait until all is done that was asked of a node; raises TestbedError when the last was not."""
        await self._orders.settled(name)

    def _launch(self, name: str, *verb: str) -> None:
        self._order(name, lambda: asyncio.to_thread(self._launcher.ask, *verb))

    def _order(self, name: str, work: Work) -> None:
        async def obey() -> None:
            try:
                await work()
            except (aiohttp.ClientError, ApiError) as error:
                raise TestbedError(f"node {name} of {self.name}: {error}") from error

        self._host.run(lambda: self._orders.give(name, obey))

    async def _finish(self, name: str, keys: set[str]) -> None:
        try:
            await self._mirror.until(lambda: is_ready(self._mirror.find(NODES, "", name)), seconds=READY_SECONDS)
        except TimeoutError:
            raise TestbedError(f"node {name} of {self.name} was not Ready after {READY_SECONDS} s") from None
        path = f"/api/v1/nodes/{name}"
        node = await self._api.request("GET", path)
        taints = at(node, "spec", "taints", default=[])
        left = [taint for taint in taints if taint["key"] not in keys]
        if left != taints:
            body = {"metadata": {"resourceVersion": node["metadata"]["resourceVersion"]}, "spec": {"taints": left}}
            await self._api.request("PATCH", path, body, MERGE_PATCH)

    async def _drain(self, name: str) -> None:
        try:
            await self._api.request("PATCH", f"/api/v1/nodes/{name}", {"spec": {"unschedulable": True}}, MERGE_PATCH)
        except ApiError as error:
            if error.code == NOT_FOUND:
                return  # it never joined
            raise
        for pod in self._mirror.all(PODS):
            owners = at(pod, "metadata", "ownerReferences", default=[])
            if at(pod, "spec", "nodeName") == name and not any(owner["kind"] == "DaemonSet" for owner in owners):
                path = f"/api/v1/namespaces/{namespace_of(pod)}/pods/{name_of(pod)}"
                with contextlib.suppress(ApiError):  # gone meanwhile
                    await self._api.request("DELETE", path)


def read_verdicts(log: Path) -> Judged:
    """Count the verifier's lines of JSON, one for each token review; other lines are for people."""
    lines = log.read_text().splitlines() if log.exists() else []
    refused = [bool(json.loads(line)["refused"]) for line in lines if line.startswith("{")]
    return Judged(accepted=refused.count(False), refused=refused.count(True))


def is_ready(node: Document | None) -> bool:
    """Tell whether a kubelet says that it is Ready."""
    conditions = at(node, "status", "conditions", default=[])
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def taint_word(taint: Mapping[str, str]) -> str:
    """Write a taint as ``kubectl taint`` takes it."""
    value = taint.get("value")
    return f"{taint['key']}={value}:{taint['effect']}" if value else f"{taint['key']}:{taint['effect']}"
