"""A read-only mapping of names to clusters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from multicluster.access.clock import Clock, system_clock
from multicluster.access.kind import no_connections
from multicluster.errors import UnknownClusterError
from multicluster.registry.cluster import Cluster, Connections
from multicluster.registry.nearest import hint
from multicluster.registry.source import Source, SourceLike


class Registry(Mapping[str, Cluster]):
    """The clusters of one or more registry documents, by name. Made without asking any of them."""

    def __init__(self, clusters: Iterable[Cluster], *, sources: Iterable[str] = ()) -> None:
        self._clusters = {cluster.name: cluster for cluster in clusters}
        self.sources = tuple(sources)

    @classmethod
    def from_document(
        cls,
        document: Mapping[str, Any],
        *,
        source: str = "argument",
        clock: Clock = system_clock,
        connection: Connections = no_connections,
    ) -> Registry:
        """Make a registry of one document; messages call it *source*. Raises RegistryDocumentError."""
        return cls.from_sources(Source.of_value(source, document), clock=clock, connection=connection)

    @classmethod
    def from_sources(
        cls, *sources: SourceLike, clock: Clock = system_clock, connection: Connections = no_connections
    ) -> Registry:
        """Make a registry of files, folders and documents, as load_registry does."""
        from multicluster.registry.load import load_registry

        return load_registry(*sources, clock=clock, connection=connection)

    def __repr__(self) -> str:
        return f"<Registry of {len(self)}: {', '.join(self)}>"

    def __getitem__(self, name: str) -> Cluster:
        if name not in self._clusters:
            raise UnknownClusterError(f"no cluster named {name!r} in {self._where()}; {hint(name, self._clusters)}")
        return self._clusters[name]

    def __contains__(self, name: object) -> bool:
        return name in self._clusters

    def get(self, name: str, default: Any = None) -> Any:
        """Return the cluster of that name, or *default*."""
        return self._clusters.get(name, default)

    def __iter__(self) -> Iterator[str]:
        return iter(self._clusters)

    def __len__(self) -> int:
        return len(self._clusters)

    def select(self, labels: Mapping[str, str]) -> list[Cluster]:
        """Return the clusters that carry all of *labels*, in the order of the documents; all for none."""
        return [one for one in self.values() if labels.items() <= one.labels.items()]

    def _where(self) -> str:
        count = len(self.sources)
        if count == 1:
            return f"the registry {self.sources[0]}"
        return f"{count} registries ({', '.join(self.sources)})" if count else "the registry"
