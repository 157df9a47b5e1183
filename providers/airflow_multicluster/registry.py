"""The registry that this Airflow is configured with."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_multicluster.connections import connection_facts
from multicluster.errors import RegistryDocumentError

if TYPE_CHECKING:
    from multicluster.registry.registry import Registry
    from multicluster.registry.source import Source

ENVIRONMENT = "MULTICLUSTER_REGISTRY"
DEFAULT_CONNECTION = "multicluster_default"
_LOADED: dict[str, Registry] = {}
"""Registries of this process by the content of their sources: cloud sessions and tokens are kept with them."""


def airflow_registry() -> Registry:
    """Return the registry of all sources Airflow knows, merged.

    Sources are ``[multicluster] registry``, the environment variable MULTICLUSTER_REGISTRY, the connection
    ``multicluster_default`` where it exists, and those in ``[multicluster] connections``. Blocks: looks connections
    up and reads files each time, and makes new clusters only when something changed. Raises RegistryDocumentError.
    """
    from airflow.providers.common.compat.sdk import conf

    paths = [
        Path(part.strip())
        for text in (conf.get("multicluster", "registry", fallback=""), os.environ.get(ENVIRONMENT, ""))
        for part in str(text or "").split(os.pathsep)
        if part.strip()
    ]
    listed = str(conf.get("multicluster", "connections", fallback="") or "").split(",")
    held = _of_connections([one.strip() for one in listed if one.strip()])
    if not paths and not held:
        raise RegistryDocumentError(
            f"Airflow knows no cluster registry; set [multicluster] registry or {ENVIRONMENT} to its file, or make a "
            f"connection {DEFAULT_CONNECTION!r} of type multicluster"
        )
    return _load([*paths, *held])


def registry_of_connection(connection_id: str) -> Registry:
    """Return the registry in one connection. Raises RegistryDocumentError."""
    return _load([_of_connection(connection_id)])


def _of_connections(listed: list[str]) -> list[Path | Source]:
    held = []
    for connection_id in dict.fromkeys((DEFAULT_CONNECTION, *listed)):
        try:
            held.append(_of_connection(connection_id))
        except LookupError as error:
            if connection_id in listed:
                raise RegistryDocumentError(f"[multicluster] connections lists {connection_id!r}: {error}") from error
    return held


def _of_connection(connection_id: str) -> Path | Source:
    from multicluster.registry.source import Source

    extra: Mapping[str, Any] = connection_facts(connection_id)["extra"]
    label = f"connection {connection_id}"
    if "clusters" in extra:
        return Source.of_value(label, extra)
    if extra.get("path"):
        return Path(extra["path"])
    written = extra.get("registry")
    if not written:
        raise RegistryDocumentError(
            f"connection {connection_id!r} holds no registry: its extra needs 'registry' (the YAML document) or 'path'"
        )
    return Source(label=label, text=written) if isinstance(written, str) else Source.of_value(label, written)


def _load(wanted: Iterable[Path | Source]) -> Registry:
    from multicluster.registry.load import load_registry
    from multicluster.registry.source import read_sources

    wanted = list(wanted)
    sources, problems = read_sources(wanted)
    if problems:
        return load_registry(*wanted, connection=connection_facts)  # which tells them all
    content = json.dumps([(source.label, source.text, source.value) for source in sources])
    key = hashlib.sha256(content.encode()).hexdigest()
    if key not in _LOADED:  # many triggers that start together may all come here: they must get the same clusters
        _LOADED.setdefault(key, load_registry(*sources, connection=connection_facts))
    return _LOADED[key]
