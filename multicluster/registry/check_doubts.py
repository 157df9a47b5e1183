"""Find what a document may leave undecided to be read, and what will be refused later because of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from multicluster.access.kind import KindDefinition
from multicluster.registry.document import ClusterDocument
from multicluster.registry.findings import Finding
from multicluster.registry.yaml_text import Path


@runtime_checkable
class Doubtful(Protocol):
    """Options of a kind that can be read, and yet not be used for all that they are for."""

    def doubts(self) -> Iterator[tuple[Path, str]]:
        """Yield the path below the options, and what is to be decided there."""
        ...


def doubts(cluster: ClusterDocument, path: Path, kind: KindDefinition) -> Iterator[Finding]:
    """Yield what ``registry validate`` finds in a cluster that loading takes as it is."""
    options = cluster.node_pools.options
    if isinstance(options, Doubtful):
        for below, message in options.doubts():
            yield Finding(path=(*path, "nodePools", kind.name, *below), message=message)
