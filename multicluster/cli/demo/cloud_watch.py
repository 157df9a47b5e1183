"""See what happens in the clouds: what two looks at the world differ in."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multicluster.simulator.world import World

GPU = "nvidia.com/gpu"


@dataclass(frozen=True, kw_only=True)
class NodeSeen:
    """A node of a GPU pool."""

    ready: bool
    gpus: int


@dataclass(frozen=True, kw_only=True)
class Look:
    """What stands in the clouds at one moment; instances and nodes of node pools only."""

    pools: Mapping[str, str] = field(default_factory=dict)
    """State by ``cluster/pool``."""
    instances: Mapping[str, str] = field(default_factory=dict)
    """Machine type and zone by ``cluster/instance``."""
    nodes: Mapping[str, NodeSeen] = field(default_factory=dict)
    """By ``cluster/node``."""
    failures: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What the launches that failed say, by ``cluster/pool``."""


@dataclass(frozen=True, kw_only=True)
class CloudEvent:
    """Something that happened in a cluster's cloud."""

    cluster: str
    text: str


def look(world: World) -> Look:
    """Take a look, on the world's own loop; safe from any thread."""
    return world.host.run(lambda: _look(world))


def _look(world: World) -> Look:
    groups = [group for _, group in sorted(world.groups.groups.items())]
    clusters = {group.target.partition("/")[0] for group in groups}
    machines = {instance.node for group in groups for instance in group.instances}
    nodes = {
        f"{name}/{node['metadata']['name']}": _node(node)
        for name in clusters & set(world.entrances)
        for node in world.entrances[name].kubernetes.objects("nodes")
        if node["metadata"]["name"] in machines
    }
    return Look(
        pools={group.target: str(group.state) for group in groups},
        instances={
            f"{group.target.partition('/')[0]}/{instance.id}": f"{instance.machine.name}, {instance.zone}"
            for group in groups
            for instance in group.instances
        },
        nodes=nodes,
        failures={group.target: tuple(a.message for a in group.activities if not a.succeeded) for group in groups},
    )


def _node(node: Mapping[str, Any]) -> NodeSeen:
    status = node.get("status", {})
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions", ()))
    return NodeSeen(ready=ready, gpus=int(status.get("allocatable", {}).get(GPU, 0)))


def difference(before: Look, after: Look) -> list[CloudEvent]:
    """Return what happened between two looks, in the order a person would tell it."""
    return [*_pools(before, after), *_failures(before, after), *_instances(before, after), *_nodes(before, after)]


def _event(key: str, text: str) -> CloudEvent:
    cluster, _, name = key.partition("/")
    return CloudEvent(cluster=cluster, text=text.format(name=name))


def _pools(before: Look, after: Look) -> list[CloudEvent]:
    changed = [_event(k, "pool {name} " + state) for k, state in after.pools.items() if before.pools.get(k) != state]
    return changed + [_event(key, "pool {name} is gone") for key in before.pools if key not in after.pools]


def _failures(before: Look, after: Look) -> list[CloudEvent]:
    first = {key: texts[0] for key, texts in after.failures.items() if texts and not before.failures.get(key)}
    return [CloudEvent(cluster=key.partition("/")[0], text=f"no instance: {text}") for key, text in first.items()]


def _instances(before: Look, after: Look) -> list[CloudEvent]:
    launched = [_event(k, f"{{name}} launched ({v})") for k, v in after.instances.items() if k not in before.instances]
    return launched + [_event(k, "{name} terminated") for k in before.instances if k not in after.instances]


def _nodes(before: Look, after: Look) -> list[CloudEvent]:
    events = []
    for key, node in after.nodes.items():
        was = before.nodes.get(key)
        if was is None:
            events.append(_event(key, "node {name} joined" + (", not ready yet" if not node.ready else "")))
        if node.ready and not (was and was.ready):
            events.append(_event(key, "node {name} Ready"))
        if node.gpus > (was.gpus if was else 0):
            events.append(_event(key, f"node {{name}} advertises {node.gpus} GPU"))
    return events


class CloudWatch:
    """Looks ten times a second, in a thread, and hands on what happened. ``stop`` takes one last look."""

    def __init__(self, world: World, hear: Callable[[CloudEvent], None], *, interval: float = 0.1) -> None:
        self._world, self._hear, self._interval = world, hear, interval
        self._stopped = threading.Event()
        self._seen = Look()
        self._thread = threading.Thread(target=self._run, daemon=True, name="cloud-watch")

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more; returns when the last event was handed on."""
        self._stopped.set()
        self._thread.join()
        self._once()

    def _run(self) -> None:
        while not self._stopped.wait(self._interval):
            self._once()

    def _once(self) -> None:
        before, self._seen = self._seen, look(self._world)
        for event in difference(before, self._seen):
            self._hear(event)
