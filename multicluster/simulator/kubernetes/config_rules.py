"""What ConfigMaps and Secrets may hold, and what of them stays as it is."""

from __future__ import annotations

import base64
import re

from multicluster.simulator.kubernetes.documents import Document
from multicluster.simulator.kubernetes.resources import SECRETS, Resource
from multicluster.simulator.kubernetes.status import Cause, forbidden_field, invalid_value, too_long

_LARGEST, _KEY_LENGTH = 2**20, 253
_KEY = re.compile(r"[-._a-zA-Z0-9]+")
_KEY_RULE = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  "
    "or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)
_IMMUTABLE = "field is immutable when `immutable` is set"


def encode_texts(secret: Document) -> None:
    """Move a secret's `stringData` into its `data`, as it is stored."""
    secret.setdefault("type", "Opaque")
    for key, text in secret.pop("stringData", {}).items():
        secret.setdefault("data", {})[key] = base64.b64encode(text.encode()).decode()


def content_causes(resource: Resource, document: Document) -> list[Cause]:
    """Return what is wrong with the keys and the size of a ConfigMap or Secret."""
    texts, binaries = document.get("data") or {}, document.get("binaryData") or {}
    causes = []
    for field, entries in (("data", texts), ("binaryData", binaries)):
        for key in sorted(entries):
            causes += [invalid_value(f"{field}[{key}]", key, fault) for fault in _key_faults(key)]
            if field == "data" and key in binaries:
                causes.append(invalid_value(f"data[{key}]", key, "duplicate of key present in binaryData"))
    encoded = list(binaries.values()) + (list(texts.values()) if resource is SECRETS else [])
    size = sum(len(base64.b64decode(value)) for value in encoded)
    size += 0 if resource is SECRETS else sum(len(value.encode()) for value in texts.values())
    if size > _LARGEST:
        causes.append(too_long("data" if resource is SECRETS else "[]", _LARGEST))
    return causes


def change_causes(resource: Resource, old: Document, new: Document) -> list[Cause]:
    """Return what an update of a ConfigMap or Secret may not change."""
    causes = []
    if resource is SECRETS and old.get("type") != new.get("type"):
        causes.append(invalid_value("type", new.get("type"), "field is immutable"))
    if old.get("immutable"):
        if not new.get("immutable"):
            causes.append(forbidden_field("immutable", _IMMUTABLE))
        changed = [f for f in ("data", "binaryData") if (old.get(f) or {}) != (new.get(f) or {})]
        causes += [forbidden_field(field, _IMMUTABLE) for field in changed]
    return causes


def _key_faults(key: str) -> list[str]:
    if key in (".", ".."):
        return [f"must not be '{key}'"]
    if key.startswith(".."):
        return ["must not start with '..'"]
    faults = [f"must be no more than {_KEY_LENGTH} characters"] if len(key) > _KEY_LENGTH else []
    return faults if _KEY.fullmatch(key) else [*faults, _KEY_RULE]
