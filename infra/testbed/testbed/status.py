"""What runs of a testbed, in the eyes of the kernel and of the API server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from testbed import control_plane, node, processes, state
from testbed.api import Api
from testbed.errors import LauncherError
from testbed.home import Home


@dataclass(frozen=True, kw_only=True)
class NodeStatus:
    """One node: whether its machine runs, and what the API server knows of it."""

    name: str
    running: bool
    ready: bool
    gpus: str = "0"
    taints: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Status:
    """A testbed at one moment."""

    home: Home
    running: state.State | None
    problem: str
    parts: dict[str, bool]
    nodes: tuple[NodeStatus, ...]

    @property
    def good(self) -> bool:
        """Say whether all that should run does."""
        return not self.problem and all(self.parts.values()) and all(one.running and one.ready for one in self.nodes)

    def facts(self) -> dict[str, Any]:
        """Say it to a machine."""
        nodes = [
            {"name": o.name, "running": o.running, "ready": o.ready, "gpus": o.gpus, "taints": list(o.taints)}
            for o in self.nodes
        ]
        facts: dict[str, Any] = {
            "home": str(self.home.path),
            "good": self.good,
            "problem": self.problem,
            "components": self.parts,
            "nodes": nodes,
        }
        if self.running:
            facts |= {
                "server": self.running.server,
                "kubernetes": self.running.kubernetes,
                "clusterName": self.running.cluster_name,
            }
        return facts

    def lines(self) -> list[str]:
        """Say it to a person."""
        if not self.running:
            return [self.problem, *(f"  still running: {part}" for part, up in self.parts.items() if up)]
        head = f"{self.running.cluster_name}: Kubernetes {self.running.kubernetes} at {self.running.server}"
        parts = [f"  {shown(part):<24} {'runs' if up else 'is not running'}" for part, up in self.parts.items()]
        return [head, *([f"  {self.problem}"] if self.problem else []), *parts, *(line(one) for one in self.nodes)]


def shown(part: str) -> str:
    """Name a part, and say of what it is one where it is none of Kubernetes' components."""
    of = {"registry": "of images", "service": "of the API", "verifier": "of tokens"}
    return f"{part} ({of[part]})" if part in of else part


def line(one: NodeStatus) -> str:
    """Say of one node what matters."""
    words = ("is Ready" if one.ready else "runs, not Ready") if one.running else "is not running"
    more = [f"{one.gpus} GPU"] if one.gpus != "0" else []
    return f"  node {one.name:<19} {', '.join([words, *more, *one.taints])}"


def look(home: Home) -> Status:
    """Find out; a testbed that is not there is a status too."""
    alive = {process.part for process in processes.marked(home)}
    try:
        running = state.load(home)
    except LauncherError as error:
        known_parts = (*control_plane.PARTS, *({control_plane.VERIFIER} & alive))
        parts = {part: part in alive for part in known_parts}
        return Status(home=home, running=None, problem=str(error), parts=parts, nodes=())
    parts = {part: part in alive for part in control_plane.parts(running)}
    answer = Api.of(home, running).find("/api/v1/nodes") if (home.pki / "admin.key").exists() else None
    known = {one["metadata"]["name"]: one for one in answer["items"]} if answer else {}
    nodes = tuple(status_of(name, alive, known.get(name)) for name in sorted({*node.names(home), *known}))
    problem = "" if answer else "the API server does not answer"
    return Status(home=home, running=running, problem=problem, parts=parts, nodes=nodes)


def status_of(name: str, alive: set[str], known: Any) -> NodeStatus:
    """Put together what the kernel and the API server know of a node."""
    running = node.part(name) in alive
    if not known:
        return NodeStatus(name=name, running=running, ready=False)
    taints = tuple(f"{t['key']}:{t['effect']}" for t in known["spec"].get("taints", []))
    gpus = known["status"].get("allocatable", {}).get(node.GPU, "0")
    return NodeStatus(name=name, running=running, ready=running and node.ready(known), gpus=gpus, taints=taints)
