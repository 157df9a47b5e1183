"""Find a kind of cluster by its name: the built-in ones in a table, others by entry point.

A wheel adds a kind with an entry point of the group ``multicluster.kinds``, whose name is the kind's and whose object
is a KindDefinition. A built-in name cannot be taken over.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import metadata

from multicluster.access.kind import KindDefinition
from multicluster.errors import RegistryDocumentError

GROUP = "multicluster.kinds"
BUILT_IN = {
    "inCluster": "multicluster.kinds.in_cluster",
    "kubeconfig": "multicluster.kinds.kubeconfig",
    "eks": "multicluster.kinds.eks",
    "gke": "multicluster.kinds.gke",
}


def _installed() -> Iterable[metadata.EntryPoint]:
    return metadata.entry_points(group=GROUP)


class Kinds(Mapping[str, KindDefinition]):
    """The kinds by name, built-in ones first. Entry points are looked at only when a name is not built in."""

    def __init__(self, installed: Callable[[], Iterable[metadata.EntryPoint]] = _installed) -> None:
        self._installed = installed
        self._found: dict[str, KindDefinition] = {}
        self._entry_points: dict[str, metadata.EntryPoint] | None = None

    def __getitem__(self, name: str) -> KindDefinition:
        if name not in self._found:
            self._found[name] = self._load(name)
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        yield from BUILT_IN
        yield from self._others()

    def __len__(self) -> int:
        return len(BUILT_IN) + len(self._others())

    def __contains__(self, name: object) -> bool:
        return name in BUILT_IN or name in self._others()

    def _load(self, name: str) -> KindDefinition:
        if name in BUILT_IN:
            kind: KindDefinition = importlib.import_module(BUILT_IN[name]).KIND
            return kind
        entry_point = self._others()[name]
        try:
            kind = entry_point.load()
        except Exception as error:  # another wheel's code may raise anything
            raise RegistryDocumentError(f"{_origin(entry_point)} cannot be loaded: {error}") from error
        if not isinstance(kind, KindDefinition) or kind.name != name:
            raise RegistryDocumentError(f"{_origin(entry_point)} is no KindDefinition named {name!r}")
        return kind

    def _others(self) -> Mapping[str, metadata.EntryPoint]:
        if self._entry_points is None:
            found: dict[str, metadata.EntryPoint] = {}
            for entry_point in self._installed():
                self._refuse_twin(entry_point, found.get(entry_point.name))
                found[entry_point.name] = entry_point
            self._entry_points = found
        return self._entry_points

    def _refuse_twin(self, entry_point: metadata.EntryPoint, other: metadata.EntryPoint | None) -> None:
        if entry_point.name in BUILT_IN:
            raise RegistryDocumentError(
                f"{_origin(entry_point)} takes the name of a built-in kind; uninstall or fix it"
            )
        if other is not None and other.value != entry_point.value:
            raise RegistryDocumentError(f"{_origin(entry_point)} is also brought by {_origin(other)}; keep one of them")


def _origin(entry_point: metadata.EntryPoint) -> str:
    wheel = entry_point.dist.name if entry_point.dist else "an unknown distribution"
    return f"the kind {entry_point.name!r} of {wheel} ({entry_point.value})"
