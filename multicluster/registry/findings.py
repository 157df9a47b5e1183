"""A problem by its path in the document, before anybody looked up line and column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import to_json

from multicluster.access.kind import KindDefinition
from multicluster.registry.document import ClusterDocument
from multicluster.registry.kind_documents import cluster_model
from multicluster.registry.kinds import Kinds
from multicluster.registry.words import words
from multicluster.registry.yaml_text import Path

NOT_ON_PAPER = frozenset({"[key]", "[switch]", "[off]"})
"""Steps of pydantic's paths that stand for no step in a document: a mapping's key, and tags of unions."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What is wrong at a path; ``at`` tells whether the ``key`` or the ``value`` there is."""

    path: Path
    message: str
    at: str = "value"
    incomplete: bool = False
    """Whether more fields could make it right: one is missing, or several do not fit each other."""


def validated(
    merged: Mapping[str, Any], path: Path, kind: KindDefinition | None, kinds: Kinds
) -> ClusterDocument | list[Finding]:
    """Return the model of a cluster that stands at *path*, or everything that is wrong with it."""
    model = cluster_model(kind)
    try:
        return model.model_validate_json(to_json(merged), by_alias=True, by_name=False)
    except ValidationError as error:
        return list(_findings(error, path, kind, kinds))


def _findings(error: ValidationError, path: Path, kind: KindDefinition | None, kinds: Kinds) -> Iterator[Finding]:
    model = cluster_model(kind)
    for detail in error.errors(include_url=False):
        location = tuple(step for step in detail["loc"] if step not in NOT_ON_PAPER)
        unknown = detail["type"] == "extra_forbidden"
        key = unknown or "[key]" in detail["loc"]
        message = words(detail, model)
        if unknown and kind and location[:1] == ("nodePools",) and location[1:] in {(name,) for name in kinds}:
            mine = location[1] == kind.name
            message = (
                "this kind of cluster has no settings for node pools"
                if mine
                else f"needs auth.{location[1]}; this cluster has auth.{kind.name}"
            )
        yield Finding(
            path=(*path, *location),
            message=message,
            at="key" if key else "value",
            incomplete=detail["type"] == "missing"
            or (detail["type"] == "value_error" and isinstance(detail["input"], dict)),
        )
