"""Check one registry document as a whole: every problem in it, not only the first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from multicluster.access.kind import KindDefinition
from multicluster.registry.check_defaults import check_defaults
from multicluster.registry.check_doubts import doubts
from multicluster.registry.defaults import with_defaults
from multicluster.registry.document import API_VERSION, KIND, ClusterDocument
from multicluster.registry.findings import Finding, validated
from multicluster.registry.kinds import Kinds
from multicluster.registry.nearest import hint
from multicluster.registry.words import noun_of
from multicluster.registry.yaml_text import Path

FIELDS = ("apiVersion", "kind", "defaults", "clusters")


@dataclass(kw_only=True)
class Checked:
    """What a document says, and everything that is wrong with it."""

    clusters: list[tuple[KindDefinition, ClusterDocument]] = field(default_factory=list)
    """Those that are right."""
    findings: list[Finding] = field(default_factory=list)
    doubts: list[Finding] = field(default_factory=list)
    """What is right as far as it goes: ``registry validate`` tells it, and loading goes on."""


def check(document: Any, kinds: Kinds) -> Checked:
    """Validate a plain value as a registry document."""
    checked = Checked()
    if not isinstance(document, dict):
        checked.findings.append(Finding(path=(), message=f"must be a mapping, not {noun_of(document)}"))
        return checked
    checked.findings += _envelope(document)
    defaults = document.get("defaults")
    defaults = defaults if isinstance(defaults, dict) else {}
    checked.findings += check_defaults(defaults, kinds) if defaults else ()
    of_defaults = {one.path for one in checked.findings}
    clusters = document.get("clusters")
    for index, cluster in enumerate(clusters if isinstance(clusters, list) else ()):
        result = _check_cluster(cluster, ("clusters", index), defaults, kinds, of_defaults)
        if isinstance(result, list):
            checked.findings += result
        else:
            checked.clusters.append(result)
            checked.doubts += doubts(result[1], ("clusters", index), result[0])
    return checked


def _envelope(document: Mapping[str, Any]) -> Iterator[Finding]:
    for name in document:
        if name not in FIELDS:
            yield Finding(path=(name,), at="key", message=f"unknown field; {hint(name, FIELDS)}")
    for name, expected in (("apiVersion", API_VERSION), ("kind", KIND)):
        if name not in document:
            yield Finding(path=(name,), message=f"is required: {expected}")
        elif document[name] != expected:
            yield Finding(path=(name,), message=f"must be {expected}; this version knows no other")
    if "clusters" not in document:
        yield Finding(path=("clusters",), message="is required; an empty registry says []")
    elif not isinstance(document["clusters"], list):
        yield Finding(path=("clusters",), message=f"must be a list, not {noun_of(document['clusters'])}")
    if not isinstance(document.get("defaults"), dict | None):
        yield Finding(path=("defaults",), message=f"must be a mapping, not {noun_of(document['defaults'])}")


def _check_cluster(
    cluster: Any, path: Path, defaults: Mapping[str, Any], kinds: Kinds, of_defaults: set[Path]
) -> tuple[KindDefinition, ClusterDocument] | list[Finding]:
    if not isinstance(cluster, dict):
        return [Finding(path=path, message=f"must be a mapping, not {noun_of(cluster)}")]
    auth = cluster.get("auth")
    known = [name for name in auth if name in kinds] if isinstance(auth, dict) else []
    kind = kinds[known[0]] if len(known) == 1 else None
    about_auth = list(_check_auth(auth, (*path, "auth"), known, kinds))
    result = validated(with_defaults(cluster, defaults, kind.name if kind else None), path, kind, kinds)
    if isinstance(result, list):
        spoken = of_defaults.union(one.path for one in about_auth)
        return about_auth + [one for one in result if not _said(one, cluster, path, spoken)]
    return about_auth if about_auth or kind is None else (kind, result)


def _said(finding: Finding, cluster: Mapping[str, Any], path: Path, spoken: set[Path]) -> bool:
    """Tell whether a finding repeats another: on the kind, or on a default that was merged into this cluster."""
    below = finding.path[len(path) :]
    return finding.path in spoken or (("defaults", *below) in spoken and not _holds(cluster, below))


def _holds(value: Any, path: Path) -> bool:
    for step in path:
        there = step in value if isinstance(value, dict) else isinstance(value, list) and step in range(len(value))
        if not there:
            return False
        value = value[step]
    return True


def _check_auth(auth: Any, path: Path, known: list[str], kinds: Kinds) -> Iterator[Finding]:
    if not auth:
        what = "names no kind" if auth == {} else "is required"
        yield Finding(path=path, message=f"{what}; give exactly one of {', '.join(kinds)}")
    elif not isinstance(auth, dict):
        one_of = f"give exactly one of {', '.join(kinds)}"
        yield Finding(path=path, message=f"must be a mapping, not {noun_of(auth)}; {one_of}")
    elif len(known) > 1:
        yield Finding(path=path, message=f"names {' and '.join(known)}; give exactly one, nothing is tried in turn")
    elif len(known) < len(auth):
        for name in auth:
            if name not in known:
                yield Finding(path=(*path, name), at="key", message=f"unknown kind of cluster; {hint(name, kinds)}")
