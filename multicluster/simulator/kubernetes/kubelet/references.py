"""ConfigMaps and Secrets a pod refers to."""

from __future__ import annotations

import base64
import binascii

from multicluster.simulator.kubernetes.resources import CONFIG_MAPS, SECRETS
from multicluster.simulator.kubernetes.store import Store


class MissingReferenceError(Exception):
    """A pod refers to something that is not there (yet); the message is the kubelet's."""


def entries(store: Store, kind: str, namespace: str, name: str, *, optional: bool = False) -> dict[str, bytes]:
    """Return the entries of a `configMap` or `secret`. Raises MissingReferenceError, unless optional."""
    resource = CONFIG_MAPS if kind == "configMap" else SECRETS
    found = store.find(resource, namespace, name)
    if found is None:
        if optional:
            return {}
        raise MissingReferenceError(f'{"configmap" if kind == "configMap" else "secret"} "{name}" not found')
    if kind == "secret":
        return {key: _decoded(value) for key, value in (found.get("data") or {}).items()}
    plain = {key: str(value).encode() for key, value in (found.get("data") or {}).items()}
    return {**plain, **{key: _decoded(value) for key, value in (found.get("binaryData") or {}).items()}}


def entry(store: Store, kind: str, namespace: str, reference: dict[str, object]) -> bytes | None:
    """Return one entry by a key reference. Raises MissingReferenceError; None when it is optional and absent."""
    name, key, optional = str(reference.get("name")), str(reference.get("key")), bool(reference.get("optional"))
    found = entries(store, kind, namespace, name, optional=optional)
    if key not in found and not optional:
        title = "ConfigMap" if kind == "configMap" else "Secret"
        raise MissingReferenceError(f"couldn't find key {key} in {title} {namespace}/{name}")
    return found.get(key)


def _decoded(value: str) -> bytes:
    try:
        return base64.b64decode(value)
    except (binascii.Error, ValueError):
        return str(value).encode()
