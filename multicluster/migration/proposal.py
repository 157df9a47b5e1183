"""Collect the clusters that DAG files mean into one registry document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from multicluster.migration.places import Place, label


class Proposal:
    """The registry document that the rewritten files need."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._clusters: dict[str, dict[str, Any]] = {}

    def cluster(self, place: Place) -> str:
        """Return the name of a cluster; the same place has the same name in all files."""
        if place.auth not in self._names:
            name = self._free(place)
            self._names[place.auth] = name
            self._clusters[name] = {"name": name, "auth": place.block}
        return self._names[place.auth]

    def profile(self, cluster: str, hint: str, profile: Mapping[str, Any]) -> str:
        """Return the name of a node-pool profile of the cluster; the same profile has the same name."""
        profiles = self._node_pools(cluster).setdefault("profiles", {})
        name, number = label(hint) or "nodes", 1
        while name in profiles and profiles[name] != profile:
            number += 1
            name = f"{label(hint) or 'nodes'}-{number}"
        profiles[name] = dict(profile)
        return name

    def eks_pools(self, cluster: str, options: Mapping[str, Any]) -> bool:
        """Set what all node groups of the cluster share; False where the cluster says it otherwise already."""
        return bool(self._node_pools(cluster).setdefault("eks", dict(options)) == options)

    @property
    def document(self) -> dict[str, Any] | None:
        """The document; None when no cluster is needed."""
        if not self._clusters:
            return None
        head = {"apiVersion": "multicluster/v1alpha1", "kind": "ClusterRegistry"}
        return {**head, "clusters": list(self._clusters.values())}

    def yaml(self) -> str:
        """Return the document as text; empty when no cluster is needed."""
        return yaml.safe_dump(self.document, sort_keys=False) if self._clusters else ""

    def _free(self, place: Place) -> str:
        hint = place.hint or "cluster"
        wanted = [hint, f"{hint}-{place.apart}"] if place.apart else [hint]
        wanted += [f"{hint}-{number}" for number in range(2, len(self._clusters) + 3)]
        return next(name for name in wanted if name not in self._clusters)

    def _node_pools(self, cluster: str) -> dict[str, Any]:
        pools: dict[str, Any] = self._clusters[cluster].setdefault("nodePools", {})
        return pools
