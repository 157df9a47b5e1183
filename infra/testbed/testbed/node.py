"""Let a node join the cluster, change what it advertises, and take it away."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

from testbed import cgroups, claims, containerd, images, kubeconfig, kubelet, network, processes
from testbed import names as kubernetes_names
from testbed.api import Api, ApiError, until
from testbed.certificates import Authority, write_key
from testbed.checkpoint import Step, passed
from testbed.errors import LauncherError, MisuseError
from testbed.home import Home
from testbed.locks import SHARED, locked
from testbed.machine import PLACE
from testbed.state import State

GPU = "nvidia.com/gpu"
UNINITIALIZED = "node.cloudprovider.kubernetes.io/uninitialized"
INDEXES = range(1, 240)
"""The third byte of the node's pod addresses; services begin at 240."""
PORTS = range(10250, 10350)
ATTEMPTS = 20
"""How often a write is tried that another write came before; a kubelet that starts writes several times a second."""


@dataclass(frozen=True, kw_only=True)
class Node:
    """A node as its caller wants it: what a cloud would set on it is the caller's too."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[kubelet.Taint, ...] = ()
    capacity: Mapping[str, str] = field(default_factory=dict)
    provider_id: str = ""

    def __post_init__(self) -> None:
        if not kubernetes_names.of_node(self.name):
            raise MisuseError(f"{self.name!r} is no node's name: lower case letters, digits, dots, dashes, at most 63")
        if twice := repeated([f"{taint.key}:{taint.effect}" for taint in self.taints]):
            raise MisuseError(f"a node has no two taints of one key and effect: {twice}")

    @property
    def part(self) -> str:
        """What its processes are marked with."""
        return part(self.name)


def part(name: str) -> str:
    """Name the part of a testbed that a node is, whatever it is called: not every Node object is of our making."""
    return f"node/{name}"


def repeated(words: Sequence[str]) -> str:
    """Give the first word that stands there twice; empty if none does."""
    return next((word for number, word in enumerate(words) if word in words[:number]), "")


def add(home: Home, state: State, node: Node) -> dict[str, Any]:
    """Boot a node and wait until it is Ready; give what ``node add`` prints. What does not join is taken away again."""
    folder = home.nodes / node.name
    Api.of(home, state).call("GET", "/readyz")
    address, port = reserve(home, state, node)
    passed(Step.NODE_RECORDED)
    try:
        furnish(home, state, node, address, port)
        passed(Step.NODE_CERTIFIED)
        processes.start(home, node.part, boot_command(folder), log=log(home, node))
        passed(Step.NODE_STARTED)
        join(home, state, node, address)
    except BaseException:
        with suppress(LauncherError):  # the first error is the reason
            remove(home, state, node.name)
        raise
    return {"name": node.name, "address": address, "kubeletPort": port, "capacity": dict(node.capacity)}


def reserve(home: Home, state: State, node: Node) -> tuple[str, int]:
    """Give the node a folder, and with it an index that no other node has; give its kubelet's address and port."""
    with locked(SHARED / f"{home.id}.nodes.lock"):
        folder = home.nodes / node.name
        if folder.exists():
            again = home.command(f"node remove {node.name}")
            raise LauncherError(f"there is a node {node.name} already; take it away with: {again}")
        taken = {int((other / "index").read_text()) for other in home.nodes.glob("*/") if (other / "index").exists()}
        index = next((free for free in INDEXES if free not in taken), None)
        if index is None:
            raise LauncherError(f"a testbed holds {len(INDEXES)} nodes")
        folder.mkdir(parents=True)
        (folder / "index").write_text(str(index))
    address = f"127.{state.claim.number}.{index}.1"
    port = next((port for port in PORTS if claims.is_free(address, port)), None)
    if port is None:
        raise LauncherError(f"no port between {PORTS[0]} and {PORTS[-1]} is free on {address}")
    return address, port


def furnish(home: Home, state: State, node: Node, address: str, port: int) -> None:
    """Write all that the machine reads: it finds its folder under the name PLACE."""
    folder = home.nodes / node.name
    plugins = network.plugin_folder()
    if plugins is None:
        raise LauncherError("the CNI plugins are missing (Debian: containernetworking-plugins)")
    user = f"system:node:{node.name}"
    pair = Authority.load(home.pki, "ca").issue(user, groups=["system:nodes"], names=[node.name, address])
    pair.write(folder, "kubelet")
    authority = (home.pki / "ca.crt").read_bytes()
    (folder / "ca.crt").write_bytes(authority)
    access = kubeconfig.document(state, user, authority, pair.certificate, pair.key)
    write_key(folder / "kubeconfig.yaml", json.dumps(access, indent=1).encode())
    containerd.configure(folder, plugins, state.claim.registry)
    served = kubelet.Served(name=node.name, address=address, port=port, dns=state.dns_address)
    kubelet.configure(home, folder, served, node.taints)
    index = int((folder / "index").read_text())
    (folder / "cni").mkdir()
    pods = network.plugin_configuration(home, state, index, Path(PLACE) / "pod-addresses")
    (folder / "cni" / "10-testbed.conflist").write_text(json.dumps(pods, indent=1))
    log(home, node).parent.mkdir(parents=True, exist_ok=True)
    cgroups.create(f"{home.cgroup}/{node.name}")
    (folder / "boot.json").write_text(json.dumps(boot_plan(home, state, node), indent=1))


def boot_plan(home: Home, state: State, node: Node) -> dict[str, Any]:
    """Tell the machine its name and what to start."""
    start = kubelet.command(state.binaries, name=node.name, labels=dict(node.labels), provider_id=node.provider_id)
    return {
        "name": node.name,
        "logs": str(log(home, node).parent),
        "images": containerd.unpack(home.nodes / node.name, images.archive()),
        "containerd": containerd.command(),
        "ctr": containerd.client(),
        "kubelet": start,
    }


def boot_command(folder: Path) -> list[str]:
    """Start the machine in namespaces of its own; it dies with its starter and everything in it with it."""
    apart = ["unshare", "--pid", "--fork", "--kill-child", "--mount", "--mount-proc", "--uts", "--propagation=private"]
    return [*apart, sys.executable, "-m", "testbed.machine", str(folder / "boot.json")]


def log(home: Home, node: Node) -> Path:
    """Where the machine writes; containerd and the kubelet write beside it."""
    return home.logs / "nodes" / node.name / "machine.log"


def join(home: Home, state: State, node: Node, address: str) -> None:
    """Wait for the node, do the part of the cloud's controller, and wait until it is Ready."""
    api = Api.of(home, state)
    path = f"/api/v1/nodes/{node.name}"

    def alive() -> bool:
        return bool(processes.marked(home, node.part))

    def farthest() -> Path:
        kubelet_log = log(home, node).with_name("kubelet.log")
        return kubelet_log if kubelet_log.exists() else log(home, node)

    def wait(what: str, look: Any) -> None:
        until(what, look, alive=alive, logs=farthest)

    wait(f"node {node.name} does not register", lambda: api.find(path))
    passed(Step.NODE_REGISTERED)
    addresses = [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": node.name}]
    api.call("PATCH", f"{path}/status", {"status": {"addresses": addresses, **resources(node.capacity)}})
    initialize(api, path, {key: value for key, value in node.labels.items() if not kubelet.kubelet_may_set(key)})
    passed(Step.NODE_COMPLETED)
    wait(f"node {node.name} does not become Ready", lambda: ready(api.find(path)))
    passed(Step.NODE_READY)


def initialize(api: Api, path: str, labels: Mapping[str, str]) -> None:
    """Set what a kubelet may not, and take away the taint that holds pods back until that is done.

    Taints are one list, and others write it too: what they wrote meanwhile is read again and kept.
    """
    for attempt in range(ATTEMPTS):
        found = api.call("GET", path)
        kept = [taint for taint in found["spec"].get("taints", []) if taint["key"] != UNINITIALIZED]
        read = {"labels": dict(labels), "resourceVersion": found["metadata"]["resourceVersion"]}
        try:
            api.call("PATCH", path, {"metadata": read, "spec": {"taints": kept or None}})
        except ApiError as error:
            if error.status != HTTPStatus.CONFLICT or attempt + 1 == ATTEMPTS:
                raise
        else:
            return


def ready(node: Any) -> bool:
    """Say whether the node reports that it can run pods."""
    conditions = node["status"].get("conditions", []) if node else []
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def resources(capacity: Mapping[str, str]) -> dict[str, Any]:
    """Say what a device plugin would say, seen from the API: an extended resource and how much of it."""
    return {"capacity": dict(capacity), "allocatable": dict(capacity)} if capacity else {}


def advertise(home: Home, state: State, name: str, capacity: Mapping[str, str]) -> None:
    """Change what a node advertises; the kubelet keeps it."""
    path = f"/api/v1/nodes/{Node(name=name).name}/status"
    Api.of(home, state).call("PATCH", path, {"status": resources(capacity)})


def remove(home: Home, state: State | None, name: str) -> None:
    """Take a node away as a cloud does: the machine ends at once, then its Node object is deleted.

    Everything that a machine holds (processes, mounts, network namespaces) is its own and ends with it, also where no
    API server answers; that error comes last. Without a *state* the Node object is left, because its cluster goes too.
    """
    node = Node(name=name)
    processes.kill(home, node.part)
    passed(Step.NODE_KILLED)
    try:
        if state:
            Api.of(home, state).delete(f"/api/v1/nodes/{name}")
            passed(Step.NODE_DELETED)
    finally:
        cgroups.remove(f"{home.cgroup}/{name}")
        shutil.rmtree(home.nodes / name, ignore_errors=True)


def names(home: Home) -> list[str]:
    """List the nodes that have a folder."""
    return sorted(path.name for path in home.nodes.glob("*/"))
