"""List the nodes of a cluster, and say to which node pool they belong."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from multicluster.errors import AccessError

if TYPE_CHECKING:
    from multicluster.registry.cluster import Cluster

PoolNodes = Callable[["Cluster", str], Mapping[str, str]]
"""Returns the pool of each node, by the node's name; takes the cluster and the label that names a node's pool."""


def pool_nodes(cluster: Cluster, label: str) -> dict[str, str]:
    """Return the value of *label* of each node that carries it, by the node's name; blocks. Raises AccessError."""
    metadata = [node["metadata"] for node in list_nodes(cluster, label)]
    return {one["name"]: one["labels"][label] for one in metadata}


def list_nodes(cluster: Cluster, selector: str) -> list[Mapping[str, Any]]:
    """Return the nodes that the label selector picks, as Kubernetes' own JSON; blocks. Raises AccessError."""
    from kubernetes.client import CoreV1Api
    from kubernetes.client.exceptions import ApiException

    try:
        answer = CoreV1Api(cluster.client()).list_node(label_selector=selector, _preload_content=False)
    except ApiException as error:
        raise AccessError(
            f"cluster {cluster.name!r}: listing nodes is answered {error.status} {error.reason}; "
            "the identity needs get and list on nodes"
        ) from error
    items: list[Mapping[str, Any]] = json.loads(answer.data)["items"]
    return items
