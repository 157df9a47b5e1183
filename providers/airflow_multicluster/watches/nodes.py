"""List a pool's nodes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multicluster import Cluster


def list_nodes(cluster: Cluster, selector: tuple[str, str]) -> list[dict[str, Any]]:
    """Return the nodes that carry the label, as Kubernetes' own JSON."""
    from kubernetes.client import CoreV1Api

    key, value = selector
    answer = CoreV1Api(cluster.client()).list_node(label_selector=f"{key}={value}", _preload_content=False)
    items: list[dict[str, Any]] = json.loads(answer.data)["items"]
    return items
