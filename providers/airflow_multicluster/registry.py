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
    from multicluster import Registry

ENVIRONMENT = "MULTICLUSTER_REGISTRY"
DEFAULT_CONNECTION = "multicluster_default"


class _Loaded:
    """The registries this process has loaded, by the content of their sources."""

    def __init__(self) -> None:
        self.by_content: dict[str, Registry] = {}


_LOADED = _Loaded()


def airflow_registry() -> Registry:
    """Return the registry of all sources Airflow knows, merged.

    Sources are ``[multicluster] registry``, the environment variable MULTICLUSTER_REGISTRY, the connection
    ``multicluster_default`` where it exists, and those in ``[multicluster] connections``. Blocks: looks connections
    up and reads files each time, and makes new clusters only when something changed. Raises RegistryDocumentError.
    """
    from airflow.providers.common.compat.sdk import conf

    paths = [
        part
        for text in (conf.get("multicluster", "registry", fallback=""), os.environ.get(ENVIRONMENT, ""))
        for part in str(text or "").split(os.pathsep)
        if part.strip()
    ]
    named = str(conf.get("multicluster", "connections", fallback="") or "").split(",")
    documents = [*_documents([one.strip() for one in named if one.strip()])]
    if not paths and not documents:
        raise RegistryDocumentError(
            f"Airflow knows no cluster registry; set [multicluster] registry or {ENVIRONMENT} to its file, or make a "
            f"connection {DEFAULT_CONNECTION!r} of type multicluster"
        )
    return _load([*dict.fromkeys(paths), *documents])


def registry_of_connection(connection_id: str) -> Registry:
    """Return the registry in one connection. Raises RegistryDocumentError."""
    return _load([_document(connection_id, connection_facts(connection_id))])


def _documents(named: Iterable[str]) -> Iterable[str | Mapping[str, Any]]:
    for connection_id in dict.fromkeys((DEFAULT_CONNECTION, *named)):
        try:
            facts = connection_facts(connection_id)
        except LookupError as error:
            if connection_id == DEFAULT_CONNECTION and connection_id not in named:
                continue
            raise RegistryDocumentError(f"[multicluster] connections names {connection_id!r}: {error}") from error
        yield _document(connection_id, facts)


def _document(connection_id: str, facts: Mapping[str, Any]) -> str | Mapping[str, Any]:
    import yaml

    extra = facts["extra"]
    if "clusters" in extra:
        return dict(extra)
    if extra.get("path"):
        return str(extra["path"])
    text = extra.get("registry")
    if isinstance(text, Mapping):
        return text
    if not text:
        raise RegistryDocumentError(
            f"connection {connection_id!r} holds no registry: its extra needs 'registry' (the YAML document) or 'path'"
        )
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise RegistryDocumentError(f"connection {connection_id!r}: its registry is no YAML: {error}") from error
    if not isinstance(document, Mapping):
        raise RegistryDocumentError(
            f"connection {connection_id!r}: its registry is {type(document).__name__}, no mapping"
        )
    return document


def _load(sources: list[str | Mapping[str, Any]]) -> Registry:
    key = _content(sources)
    if key not in _LOADED.by_content:
        from multicluster import load_registry

        _LOADED.by_content[key] = load_registry(*sources, connection=connection_facts)
    return _LOADED.by_content[key]


def _content(sources: Iterable[str | Mapping[str, Any]]) -> str:
    digest = hashlib.sha256()
    for source in sources:
        if isinstance(source, str):
            for file in _files(Path(source).expanduser()):
                digest.update(str(file).encode())
                digest.update(file.read_bytes())
        else:
            digest.update(json.dumps(source, sort_keys=True, default=str).encode())
    return digest.hexdigest()


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(file for file in path.iterdir() if file.is_file())
    return [path] if path.is_file() else []
