from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from multicluster.node_pools.pool import NodePool, NodePoolState

LABEL = "cloud/pool"


@pytest.fixture
def pool() -> Callable[..., NodePool]:
    def make(**more: Any) -> NodePool:
        given = {"name": "train", "state": NodePoolState.ACTIVE, "status": "ACTIVE", "node_selector": (LABEL, "train")}
        return NodePool(**{**given, **more})

    return make


@pytest.fixture
def node() -> Callable[..., dict[str, Any]]:
    """Make a Node as the API's JSON has it: Ready, of the pool, with one GPU, unless told otherwise."""

    def make(
        name: str = "n1",
        *,
        pool: str = "train",
        ready: str = "True",
        gpus: str | None = "1",
        taints: list[dict[str, str]] | None = None,
        spec: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
        conditions: list[dict[str, str]] | None = None,
        resource: str = "nvidia.com/gpu",
    ) -> dict[str, Any]:
        kubelet = {"type": "Ready", "status": ready, "reason": "KubeletNotReady", "message": "cni is not initialised"}
        own = {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}
        return {
            "metadata": {"name": name, "labels": {LABEL: pool}, **(metadata or {})},
            "spec": {"taints": [own, *(taints or [])], **(spec or {})},
            "status": {
                "conditions": [kubelet, *(conditions or [])],
                "allocatable": {"cpu": "4", "memory": "15Gi", **({} if gpus is None else {resource: gpus})},
            },
        }

    return make
