"""Write the JSON Schema of the registry document, for editors.

It is a little milder than loading: what ``defaults`` may bring is not required, because a schema cannot merge.
``multicluster registry validate`` is the judge.
"""

from __future__ import annotations

import functools
import json
import operator
from collections.abc import Mapping
from importlib import resources
from typing import Any, Literal

from pydantic import BaseModel, Field, create_model

from multicluster.access.kind import KindDefinition
from multicluster.node_pools.profile import Document, NodePoolProfile
from multicluster.registry.document import API_VERSION, KIND, ClusterDocument, NodePoolsDocument
from multicluster.registry.kind_documents import cluster_model
from multicluster.registry.kinds import Kinds

NULLABLE = ("labels", "network", "pods", "nodePools", "identity")
"""Blocks of a cluster that may be null, which is as if left out."""


def json_schema(kinds: Kinds) -> dict[str, Any]:
    """Return the schema of documents with clusters of *kinds*; imports no SDK."""
    definitions = list(kinds.values())
    models = [cluster_model(kind) for kind in definitions]
    clusters: Any = functools.reduce(operator.or_, models)
    fields: dict[str, Any] = {
        "api_version": (Literal[API_VERSION], ...),
        "kind": (Literal[KIND], ...),
        "defaults": (_defaults_model(definitions) | None, None),
        "clusters": (tuple[clusters, ...], ...),
    }
    document: type[BaseModel] = create_model(KIND, __base__=Document, **fields)
    schema = document.model_json_schema(by_alias=True)
    parts = schema["$defs"]
    for kind in definitions:
        _relax(parts, kind.options)
        _relax(parts, kind.node_pool_options)
    _relax(parts, NodePoolProfile)
    for model in models:
        _allow_null(parts[model.__name__]["properties"])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "description": "Clusters by name, for airflow-multicluster.",
    }


def shipped_schema() -> dict[str, Any]:
    """Return the schema of the built-in kinds, as it is shipped."""
    text = resources.files("multicluster.registry").joinpath("schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def as_text(schema: Mapping[str, Any]) -> str:
    """Return *schema* as it is written to a file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _defaults_model(kinds: list[KindDefinition]) -> type[BaseModel]:
    options: dict[str, Any] = {f"k{at}": _optional(kind.name, kind.options) for at, kind in enumerate(kinds)}
    pools: dict[str, Any] = {
        f"k{at}": _optional(kind.name, kind.node_pool_options)
        for at, kind in enumerate(kinds)
        if kind.node_pool_options
    }
    fields: dict[str, Any] = {
        name: (ClusterDocument.model_fields[name].annotation, None) for name in ("labels", "network", "pods")
    }
    fields["auth"] = (create_model("DefaultAuth", __base__=Document, **options), None)
    fields["node_pools"] = (create_model("DefaultNodePools", __base__=NodePoolsDocument, **pools), None)
    return create_model("Defaults", __base__=Document, **fields)


def _optional(name: str, model: type[BaseModel]) -> Any:
    return model | None, Field(default=None, alias=name)


def _relax(parts: dict[str, Any], model: type[BaseModel] | None) -> None:
    if model is not None and model.__name__ in parts:  # two wheels may have models of one name; theirs stay strict
        parts[model.__name__].pop("required", None)


def _allow_null(properties: dict[str, Any]) -> None:
    for name in NULLABLE:
        properties[name] = {"anyOf": [properties[name], {"type": "null"}]}
