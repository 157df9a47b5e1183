"""List the pods of a cluster, as far as the identity may."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from multicluster.errors import AccessError

if TYPE_CHECKING:
    from multicluster.registry.cluster import Cluster

FORBIDDEN = 403


def list_pods(cluster: Cluster, **selectors: str) -> list[Mapping[str, Any]]:
    """Return pods, as Kubernetes' own JSON, of all namespaces, or where that is not allowed, of the registry's.

    *selectors* are ``label_selector`` and ``field_selector``. Blocks. Raises AccessError.
    """
    from kubernetes.client import CoreV1Api
    from kubernetes.client.exceptions import ApiException

    api, asked = CoreV1Api(cluster.client()), {**selectors, "_preload_content": False}
    try:
        try:
            answer = api.list_pod_for_all_namespaces(**asked)
        except ApiException as error:
            if error.status != FORBIDDEN:
                raise
            answer = api.list_namespaced_pod(cluster.pods.namespace or "default", **asked)
    except ApiException as error:
        raise AccessError(
            f"cluster {cluster.name!r}: listing pods is answered {error.status} {error.reason}; "
            "the identity needs list on pods"
        ) from error
    items: list[Mapping[str, Any]] = json.loads(answer.data)["items"]
    return items
