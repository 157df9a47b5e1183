"""Hold a whole world: clouds, clusters and the time they live in."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

from multicluster.simulator import device_plugin, injection
from multicluster.simulator.aws import sts_hosts
from multicluster.simulator.aws.cloud import Aws
from multicluster.simulator.aws.clusters import EksCluster
from multicluster.simulator.aws.identities import DEFAULT_ACCOUNT
from multicluster.simulator.clock import SystemClock
from multicluster.simulator.control import Control
from multicluster.simulator.delays import Delays
from multicluster.simulator.environment import environment, kubeconfig
from multicluster.simulator.faults import Faults, HttpError
from multicluster.simulator.google.cloud import Google
from multicluster.simulator.google.clusters import GkeCluster
from multicluster.simulator.host import Handler, Host
from multicluster.simulator.kubernetes.nodes import NodeShape
from multicluster.simulator.kubernetes.users import nobody
from multicluster.simulator.machine_types import AWS_TYPES
from multicluster.simulator.node_groups import NodeGroups
from multicluster.simulator.registry_document import registry
from multicluster.simulator.report import CloudReport, Report
from multicluster.simulator.simulated_ground import SimulatedGround
from multicluster.simulator.tls import CertificateAuthority
from multicluster.simulator.verification import Judge, Judges
from multicluster.simulator.wording import Incident

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable
    from types import TracebackType

    from multicluster.simulator.aws.cloud import Tokens
    from multicluster.simulator.clock import Clock
    from multicluster.simulator.fleet import NodeGroup
    from multicluster.simulator.google.identities import AccessTokens
    from multicluster.simulator.ground import Cluster, Ground
    from multicluster.simulator.kubernetes.users import Authenticate, User

T = TypeVar("T")
VERSION = "1.35.4"
POOL_LABELS = frozenset({"eks.amazonaws.com/nodegroup", "cloud.google.com/gke-nodepool"})
SYSTEM_NODE_TYPE = AWS_TYPES["m5.xlarge"]


@dataclass(frozen=True, kw_only=True)
class Entrance:
    """A cluster of the world under its name in registry and kubeconfig."""

    name: str
    kubernetes: Cluster
    cloud: EksCluster | GkeCluster | None

    @property
    def admin_token(self) -> str:
        """The static token of a simulated cluster's administrator. Raises KeyError where that has a certificate."""
        return self.kubernetes.admin["token"]


class World:
    """Clouds, and clusters unless ``ground`` puts them elsewhere, on 127.0.0.1 until ``stop``. Safe in any thread."""

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        delays: Delays | None = None,
        root: Path | None = None,
        ground: Ground | None = None,
    ) -> None:
        self.clock: Clock = clock or SystemClock()
        self.delays = delays or Delays()
        self._own_root = root is None
        self.root = root or Path(tempfile.mkdtemp(prefix="multicluster-world-"))
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.host = Host()
        self.faults = Faults()
        self.ground: Ground = ground or SimulatedGround(
            clock=self.clock,
            root=self.root / "clusters",
            delays=self.delays.pods,
            faults=self.faults,
            version=VERSION,
        )
        self.ca = CertificateAuthority("multicluster simulator")
        self.entrances: dict[str, Entrance] = {}
        self._authenticators: dict[str, Authenticate] = {}
        groups = NodeGroups(self.clock, self.delays, self.fate)
        # Real clients sign with the machine's clock: signatures are judged by it, even if the world's clock is manual.
        self.aws = Aws(
            groups=groups,
            clock=self.clock,
            signature_clock=SystemClock(),
            delays=self.delays,
            faults=self.faults,
            fate=self.fate,
        )
        self.groups = groups
        self.google = Google(groups=groups, clock=self.clock, delays=self.delays, faults=self.faults, fate=self.fate)
        self.aws_url = self._serve_tls(self.aws.gateway.handle, sts_hosts.exists)
        self.google.url = self._serve_tls(self.google.handle)
        self._judges = Judges(self, self._serve_tls)
        self.metadata_host = f"127.0.0.1:{self.host.serve(self.google.metadata.handle)}"
        self.control = Control(self)
        self.control_url = f"http://127.0.0.1:{self.host.serve(self.control.handle)}"
        self._stopped = False

    def _serve_tls(self, handler: Handler, plays: Callable[[str], bool] = lambda _name: False) -> str:
        context = self.ca.server_context()
        self.ca.answer_as(context, plays)
        return f"https://127.0.0.1:{self.host.serve(handler, context)}"

    def add_eks(
        self,
        name: str,
        region: str = "us-east-1",
        *,
        account: str = DEFAULT_ACCOUNT,
        rbac: bool = False,
        system_nodes: int = 1,
    ) -> EksCluster:
        """Start an EKS cluster. By default every identity of its account is an admin (``everyone_is_admin``)."""
        if account not in self.aws.iam.accounts:
            self.aws.add_account(account)
        label = self._label(name, region)
        kubernetes = self._start(label, self._judges.of_eks(label, name, region), rbac=rbac)
        cluster = EksCluster(name=name, region=region, account=account, kubernetes=kubernetes, created=self.clock.now())
        self.aws.clusters.add(cluster)
        device_plugin.install_nvidia(kubernetes)
        self._authenticators[label] = self.aws.authenticator(cluster)
        self._enter(label, kubernetes, cluster, system_nodes)
        return cluster

    def add_gke(
        self,
        name: str,
        project: str = "acme",
        location: str = "europe-west4",
        *,
        rbac: bool = False,
        system_nodes: int = 1,
    ) -> GkeCluster:
        """Start a GKE cluster. Every identity that may use the project is an admin, as with roles/container.admin."""
        label = self._label(name, location)
        kubernetes = self._start(label, self._judges.of_gke(label), rbac=rbac)
        cluster = GkeCluster(
            name=name, project=project, location=location, kubernetes=kubernetes, created=self.clock.now()
        )
        self.google.add_cluster(cluster, self.host, self.ca)
        device_plugin.install_gke(kubernetes)
        self._authenticators[label] = self.google.authenticator(cluster)
        self._enter(label, kubernetes, cluster, system_nodes)
        return cluster

    def add_plain(self, name: str, *, rbac: bool = False, system_nodes: int = 1) -> Cluster:
        """Start a cluster of no cloud; its administrator stands in ``kubeconfig()``."""
        label = self._label(name, "plain")
        kubernetes = self._start(label, (), rbac=rbac)
        self._enter(label, kubernetes, None, system_nodes)
        return kubernetes

    def _label(self, name: str, place: str) -> str:
        label = name if name not in self.entrances else f"{name}-{place}"
        if label in self.entrances:
            raise ValueError(f"a cluster named {label!r} is already in this world")
        return label

    def _start(self, label: str, verifier: tuple[str, ...], *, rbac: bool) -> Cluster:
        def authenticate(token: str) -> User | None:
            return self._authenticators.get(label, nobody)(token)

        return self.ground.start(self.host, label, Judge(authenticate=authenticate, verifier=verifier), rbac=rbac)

    def _enter(
        self,
        label: str,
        kubernetes: Cluster,
        cloud: EksCluster | GkeCluster | None,
        system_nodes: int,
    ) -> None:
        for number in range(system_nodes):
            labels = {"multicluster.dev/system": "true", "node.kubernetes.io/instance-type": SYSTEM_NODE_TYPE.name}
            capacity = SYSTEM_NODE_TYPE.capacity()
            kubernetes.add_node(f"{label}-system-{number}", NodeShape(labels=labels, capacity=capacity, ready=True))
        self.entrances[label] = Entrance(name=label, kubernetes=kubernetes, cloud=cloud)

    def fate(self, step: str, group: NodeGroup) -> Incident | None:
        """Ask the faults in force what goes wrong in a step of a group's life."""
        for effect in self.faults.effects("node-groups", step, group.target):
            if isinstance(effect, HttpError):
                return Incident(code=effect.reason, message=effect.message)
        return None

    def inject(self, name: str, *, target: str = ".*", times: int | None = None, **options: str) -> None:
        """Let a fault of ``FAULTS`` strike; ``target`` is a regular expression for the whole of ``cluster/pool``."""
        self.host.run(lambda: injection.inject(self, name, target=target, times=times, options=options))
        if not self.host.is_current:
            self.host.call(asyncio.sleep(0))  # what was begun reaches its first wait

    def settle(self, timeout: float = 30.0) -> None:
        """Block until no pool is on its way to another state; raises TimeoutError after so many real seconds."""
        self.host.call(asyncio.wait_for(self.groups.settle(), timeout))

    def wait(self, condition: Callable[[], T], timeout: float = 30.0) -> T:
        """Block until a condition is truthy and return it; raises TimeoutError after so many real seconds."""
        end = time.monotonic() + timeout
        while not (answer := condition()):
            if time.monotonic() > end:
                raise TimeoutError(f"the condition did not hold within {timeout} s")
            self.host.call(asyncio.sleep(0.01))
        return answer

    def env(self) -> dict[str, str]:
        """Return the environment in which clients talk to this world; writes the CA bundle it names into ``root``."""
        return environment(self)

    def registry(self) -> dict[str, object]:
        """Return a registry document of all clusters; writes the kubeconfig it names into ``root``."""
        return registry(self)

    def kubeconfig(self) -> dict[str, object]:
        """Return a kubeconfig with an admin context for each cluster."""
        return kubeconfig(self.entrances.values())

    def report(self) -> Report:
        """Count what is left and what happened."""
        return self.host.run(self._report)

    def _report(self) -> Report:
        clusters = [entrance.kubernetes for entrance in self.entrances.values()]
        busy = sum(node.busy for cluster in clusters for node in cluster.gpu_seconds.values())
        return Report(
            aws=self._cloud_report("eks:", self.aws.tokens, self.aws.gateway.calls),
            google=self._cloud_report("gke:", self.google.tokens, self.google.calls),
            gpu_busy_seconds=busy,
            gpu_idle_seconds=max(0.0, self.groups.gpu_seconds() - busy),
        )

    def _cloud_report(self, prefix: str, tokens: Tokens | AccessTokens, calls: Counter[str]) -> CloudReport:
        groups = [group for (key, _), group in sorted(self.groups.groups.items()) if key.startswith(prefix)]
        judged = [entrance.kubernetes.judged for entrance in self._of(prefix)]
        return CloudReport(
            pools_left=tuple(group.target for group in groups),
            instances_left=tuple(instance.id for group in groups for instance in group.instances),
            nodes_left=self._nodes_left(prefix),
            tokens_verified=tokens.verified + sum(one.accepted for one in judged),
            tokens_seen=len(tokens.seen),
            tokens_refused=len(tokens.refused) + sum(one.refused for one in judged),
            calls=dict(calls),
        )

    def _nodes_left(self, prefix: str) -> tuple[str, ...]:
        """Name the Node objects of pools in the clusters of one cloud, counted at their API servers."""
        return tuple(
            f"{entrance.name}/{node['metadata']['name']}"
            for entrance in self._of(prefix)
            for node in entrance.kubernetes.objects("nodes")
            if POOL_LABELS & node["metadata"]["labels"].keys()
        )

    def _of(self, prefix: str) -> list[Entrance]:
        return [one for one in self.entrances.values() if one.cloud is not None and one.cloud.key.startswith(prefix)]

    def stop(self) -> None:
        """End everything; calling twice does nothing more."""
        if self._stopped:
            return
        self._stopped = True
        with contextlib.ExitStack() as last:  # in the end and in any case, from the last to the first
            if self._own_root:
                last.callback(shutil.rmtree, self.root, ignore_errors=True)
            last.callback(self.host.stop)
            last.callback(self.ground.stop)
            with ThreadPoolExecutor(max_workers=8) as pool:  # a testbed takes seconds; none is forgotten for another
                ends = [pool.submit(entrance.kubernetes.stop) for entrance in self.entrances.values()]
            for end in ends:
                end.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
