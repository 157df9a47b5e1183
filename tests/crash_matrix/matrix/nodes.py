"""The API server of a cluster, reduced to its nodes: that is all that lookouts and reaper ask it for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from aiohttp import web

from multicluster.simulator.device_plugin import NVIDIA

READY = {True: "True", False: "False"}


class NodeBoard:
    """The nodes of one cluster, moved by the clouds (``multicluster.simulator.fleet.Nodes``), read by our code."""

    url, ca_pem = "https://cluster", b"none"

    def __init__(self) -> None:
        self.nodes: dict[str, dict[str, Any]] = {}
        self.pods: list[dict[str, Any]] = []

    def add_node(self, name: str, shape: Any) -> None:
        self.nodes[name] = {
            "metadata": {"name": name, "labels": dict(shape.labels)},
            "spec": {"taints": [dict(taint) for taint in shape.taints]},
            "status": {"allocatable": dict(shape.capacity), "conditions": [{"type": "Ready", "status": "False"}]},
        }

    def set_node(
        self,
        name: str,
        *,
        ready: bool | None = None,
        allocatable: Mapping[str, str] | None = None,
        remove_taints: Iterable[str] = (),
    ) -> None:
        node = self.nodes.get(name)
        if node is None:
            return
        if ready is not None:
            node["status"]["conditions"] = [{"type": "Ready", "status": READY[ready]}]
        node["status"]["allocatable"].update(allocatable or {})
        gone = set(remove_taints)
        node["spec"]["taints"] = [taint for taint in node["spec"]["taints"] if taint["key"] not in gone]

    def drain_node(self, name: str) -> None:
        if name in self.nodes:
            self.nodes[name]["spec"]["unschedulable"] = True

    def remove_node(self, name: str) -> None:
        self.nodes.pop(name, None)

    async def settled(self, name: str) -> None:
        """Have done all that was asked of a node: here that takes no time."""

    def objects(self, resource: str, namespace: str | None = None) -> list[dict[str, Any]]:
        if resource == "daemonsets":
            return [{"metadata": {"name": NVIDIA, "namespace": namespace}}]
        return list(self.nodes.values()) if resource == "nodes" else self.pods

    def occupy(self, label: tuple[str, str]) -> list[dict[str, Any]]:
        """Put a pod on each node that carries the label; returns the pods, which ``leave`` takes away."""
        key, value = label
        names = [name for name, node in self.nodes.items() if node["metadata"]["labels"].get(key) == value]
        pods = [{"metadata": {}, "spec": {"nodeName": name}, "status": {"phase": "Running"}} for name in names]
        self.pods += pods
        return pods

    def leave(self, pods: list[dict[str, Any]]) -> None:
        """Take pods away that have ended."""
        self.pods = [pod for pod in self.pods if all(pod is not one for one in pods)]

    def answer(self, resource: str, selector: str) -> web.Response:
        """Answer a list of nodes, daemonsets or resource slices."""
        items = self.objects("nodes") if resource == "nodes" else []
        key, _, value = selector.partition("=")
        chosen = [
            one
            for one in items
            if not key or (key in one["metadata"]["labels"] and value in {"", one["metadata"]["labels"][key]})
        ]
        return web.Response(body=json.dumps({"items": chosen}).encode(), content_type="application/json")
