"""Read registry documents from all their sources into one registry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from multicluster.access.clock import Clock, system_clock
from multicluster.access.kind import no_connections
from multicluster.access.shared import Shared
from multicluster.registry.cluster import Cluster, Connections
from multicluster.registry.examine import Examined
from multicluster.registry.kinds import Kinds
from multicluster.registry.problem import Problem, refusal
from multicluster.registry.registry import Registry
from multicluster.registry.source import SourceLike, from_environment, read_sources
from multicluster.registry.yaml_text import Path


def load_registry(
    *sources: SourceLike,
    clock: Clock = system_clock,
    connection: Connections = no_connections,
    kinds: Kinds | None = None,
) -> Registry:
    """Read files, folders and documents into one registry; without any, those of MULTICLUSTER_REGISTRY.

    Blocks on reading files only: no cluster and no cloud is asked. Raises RegistryDocumentError, which tells all
    problems of all sources; the same name twice is one of them.
    """
    examined, problems = examine_sources(sources or from_environment(), Kinds() if kinds is None else kinds)
    if problems:
        raise refusal(problems)
    shared = Shared()
    clusters = (
        Cluster(
            document=document, kind=kind, source=one.source.label, clock=clock, connection=connection, shared=shared
        )
        for one in examined
        for kind, document in one.checked.clusters
    )
    return Registry(clusters, sources=[one.source.label for one in examined])


def examine_sources(sources: Iterable[SourceLike], kinds: Kinds) -> tuple[list[Examined], list[Problem]]:
    """Examine every source and return all problems of all of them."""
    read, problems = read_sources(sources)
    examined = [Examined(source, kinds) for source in read]
    for one in examined:
        problems += one.problems
    problems += _twins(examined)
    return examined, problems


def _twins(examined: Iterable[Examined]) -> Iterator[Problem]:
    first: dict[str, tuple[Examined, Path]] = {}
    for one in examined:
        for name, path in one.names():
            if name not in first:
                first[name] = one, path
                continue
            earlier, place = first[name]
            yield one.problem(path, f"is taken already, by the cluster at {earlier.place(place)}")
