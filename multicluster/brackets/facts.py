"""Fetch what readiness and gone are judged by, as Kubernetes' own JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from multicluster.node_pools.readiness import DaemonSetFacts, NodeFacts, SliceFacts

if TYPE_CHECKING:
    from multicluster.registry.cluster import Cluster

DENIED = 403
ABSENT = 404


def list_nodes(
    cluster: Cluster, selector: tuple[str, str] | None = None, *, name: str = "", limit: int | None = None
) -> list[NodeFacts]:
    """Return the nodes that carry the label *selector*, all without one; *name* is one of them, *limit* is the most.

    One is listed and not got, because infra/rbac grants no more.
    """
    from kubernetes.client import CoreV1Api

    asked: dict[str, Any] = {"limit": limit} if limit is not None else {}
    if selector is not None:
        asked["label_selector"] = "=".join(selector)
    if name:
        asked["field_selector"] = f"metadata.name={name}"
    answer = CoreV1Api(cluster.client()).list_node(_preload_content=False, **asked)
    return [NodeFacts.from_object(item) for item in _items(answer)]


def list_slices(cluster: Cluster) -> list[SliceFacts]:
    """Return the devices that DRA drivers publish; none where the cluster has no DRA or does not let us look."""
    from kubernetes.client import CustomObjectsApi
    from kubernetes.client.exceptions import ApiException

    try:
        answer = CustomObjectsApi(cluster.client()).list_cluster_custom_object(
            "resource.k8s.io", "v1", "resourceslices"
        )
    except ApiException as error:
        if error.status in {DENIED, ABSENT}:
            return []
        raise
    return [SliceFacts.from_object(item) for item in answer["items"]]


def list_daemon_sets(cluster: Cluster) -> list[DaemonSetFacts] | None:
    """Return the DaemonSets of all namespaces; None where we are not let look."""
    from kubernetes.client import AppsV1Api
    from kubernetes.client.exceptions import ApiException

    try:
        answer = AppsV1Api(cluster.client()).list_daemon_set_for_all_namespaces(_preload_content=False)
    except ApiException as error:
        if error.status in {DENIED, ABSENT}:
            return None
        raise
    return [DaemonSetFacts.from_object(item) for item in _items(answer)]


def _items(answer: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = json.loads(answer.data)["items"]
    return items
