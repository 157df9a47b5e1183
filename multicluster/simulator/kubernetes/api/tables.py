"""Server-side tables: what `kubectl get` prints."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

from aiohttp import web

from multicluster.simulator.kubernetes.api import columns
from multicluster.simulator.kubernetes.documents import Document
from multicluster.simulator.kubernetes.resources import Resource

_PARTIAL = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1"}


def wanted(request: web.BaseRequest) -> bool:
    """Whether a client prefers a table."""
    first = request.headers.get("Accept", "").split(",")[0].replace(" ", "")
    return "as=Table" in first and "g=meta.k8s.io" in first


def listed(resource: Resource, request: web.BaseRequest, found: Document, now: dt.datetime) -> Document:
    """Return a list as a table."""
    return _table(resource, request, found["items"], found["metadata"], now)


def single(resource: Resource, request: web.BaseRequest, found: Document, now: dt.datetime) -> Document:
    """Return one object as a table of one row."""
    version = {"resourceVersion": found["metadata"]["resourceVersion"]}
    return _table(resource, request, [found], version, now)


def renderer(
    resource: Resource, request: web.BaseRequest, now: Callable[[], dt.datetime]
) -> Callable[[Document], Document]:
    """Return what makes a table of each object of a watch."""
    return lambda document: single(resource, request, document, now())


def _table(
    resource: Resource, request: web.BaseRequest, items: Sequence[Document], metadata: Document, now: dt.datetime
) -> Document:
    include = request.query.get("includeObject", "Metadata")
    shape = columns.of(resource)
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": [_definition(column) for column in shape],
        "rows": [_row(shape, item, include, now) for item in items],
    }


def _definition(column: columns.Column) -> Document:
    return {
        "name": column.name,
        "type": column.type,
        "format": "name" if column.name == "Name" else "",
        "description": column.name,
        "priority": column.priority,
    }


def _row(shape: Sequence[columns.Column], item: Document, include: str, now: dt.datetime) -> Document:
    row: Document = {"cells": [column.cell(item, now) for column in shape]}
    if include == "Object":
        row["object"] = item
    elif include != "None":
        row["object"] = {**_PARTIAL, "metadata": item["metadata"]}
    return row
