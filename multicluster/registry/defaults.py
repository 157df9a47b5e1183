"""Lay a cluster over the document's defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from multicluster.registry.document import ClusterDocument

BLOCKS = ("labels", "auth", "network", "pods", "nodePools")
"""What ``defaults`` may hold. The blocks of a kind reach clusters of that kind only."""
FIELDS = frozenset(field.alias or name for name, field in ClusterDocument.model_fields.items())
"""Fields of a cluster; one that is null and not among them is still an unknown one."""


def with_defaults(cluster: Mapping[str, Any], defaults: Mapping[str, Any], kind: str | None) -> dict[str, Any]:
    """Return *cluster* over *defaults*: mappings are merged at every level, all else is replaced.

    A field that is null in the cluster is as if left out; a null further below replaces the default.
    """
    merged = {key: value for key, value in cluster.items() if value is not None or key not in FIELDS}
    for block, default in defaults.items():
        if isinstance(default, dict):
            merged[block] = _over(_of_kind(block, default, kind), merged.get(block, {}))
    return merged


def _of_kind(block: str, default: dict[str, Any], kind: str | None) -> dict[str, Any]:
    if block == "auth":
        return {key: value for key, value in default.items() if key == kind}
    if block == "nodePools":
        return {key: value for key, value in default.items() if key in {kind, "profiles", "limits"}}
    return default


def _over(default: dict[str, Any], value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    merged = dict(default)
    for key, one in value.items():
        below = merged.get(key)
        merged[key] = _over(below, one) if isinstance(below, dict) else one
    return merged
