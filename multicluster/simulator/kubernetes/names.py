"""Names, labels and the rest of an object's metadata: what is valid, and how `generateName` makes a name."""

from __future__ import annotations

import re
import secrets

from multicluster.simulator.kubernetes.documents import Document
from multicluster.simulator.kubernetes.resources import Resource
from multicluster.simulator.kubernetes.status import Cause, invalid_value, required, too_long

_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"  # k8s.io/apimachinery/pkg/util/rand: no vowels, no look-alikes
_SUFFIX, _LONGEST_PREFIX = 5, 58
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_QUALIFIED = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_LABEL_LENGTH, _SUBDOMAIN_LENGTH, _ANNOTATIONS_LENGTH = 63, 253, 256 * 1024
_STANDARD_FINALIZERS = ("orphan", "foregroundDeletion", "kubernetes")

_SUBDOMAIN_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_LABEL_RULE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
    "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
_LABEL_VALUE_RULE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation "
    "is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
_QUALIFIED_RULE = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
    "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
_ONE_SLASH = " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
_NO_FINALIZER = "name is neither a standard finalizer name nor is it fully qualified"


def generated(prefix: str) -> str:
    """Return a new name for a `generateName`; too long a prefix is cut, as the API server does."""
    return prefix[:_LONGEST_PREFIX] + "".join(secrets.choice(_ALPHABET) for _ in range(_SUFFIX))


def key_faults(key: str) -> list[str]:
    """Return what is wrong with the key of a label, annotation or finalizer."""
    prefix, slash, name = key.rpartition("/")
    if "/" in prefix:
        return ["a valid label key " + _QUALIFIED_RULE + _ONE_SLASH]
    faults = []
    if slash and not prefix:
        faults.append("prefix part must be non-empty")
    elif slash and not _SUBDOMAIN.fullmatch(prefix):
        faults.append(f"prefix part {_SUBDOMAIN_RULE}")
    if not name:
        faults.append("name part must be non-empty")
    elif len(name) > _LABEL_LENGTH:
        faults.append(f"name part must be no more than {_LABEL_LENGTH} bytes")
    return faults if _QUALIFIED.fullmatch(name) else [*faults, f"name part {_QUALIFIED_RULE}"]


def value_faults(value: str) -> list[str]:
    """Return what is wrong with the value of a label."""
    faults = [f"must be no more than {_LABEL_LENGTH} bytes"] if len(value.encode()) > _LABEL_LENGTH else []
    return faults if not value or _QUALIFIED.fullmatch(value) else [*faults, _LABEL_VALUE_RULE]


def metadata_causes(resource: Resource, document: Document) -> list[Cause]:
    """Return what is wrong with an object's metadata."""
    metadata = document["metadata"]
    name, prefix = metadata.get("name"), metadata.get("generateName")
    causes = _name_causes(resource, "metadata.generateName", prefix, end="a") if prefix else []
    if not name:
        return [required("metadata.name", "name or generateName is required")]
    causes += _name_causes(resource, "metadata.name", str(name))
    for key, value in (metadata.get("labels") or {}).items():
        causes += [invalid_value("metadata.labels", key, fault) for fault in key_faults(key)]
        causes += [invalid_value("metadata.labels", value, fault) for fault in value_faults(value)]
    annotations = metadata.get("annotations") or {}
    for key in annotations:
        causes += [invalid_value("metadata.annotations", key, fault) for fault in key_faults(key.lower())]
    if sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items()) > _ANNOTATIONS_LENGTH:
        causes.append(too_long("metadata.annotations", _ANNOTATIONS_LENGTH))
    for owner in metadata.get("ownerReferences") or []:
        causes += _owner_causes(owner)
    for index, finalizer in enumerate(metadata.get("finalizers") or []):
        faults = key_faults(finalizer)
        causes += [invalid_value("metadata.finalizers", finalizer, fault) for fault in faults]
        if not faults and "/" not in finalizer and finalizer not in _STANDARD_FINALIZERS:
            causes.append(invalid_value(f"metadata.finalizers[{index}]", finalizer, _NO_FINALIZER))
    return causes


def _name_causes(resource: Resource, field: str, shown: str, end: str = "") -> list[Cause]:
    name = shown + end
    if resource.kind != "Namespace":
        valid, rule, longest = _SUBDOMAIN.fullmatch(name), _SUBDOMAIN_RULE, _SUBDOMAIN_LENGTH
    elif "." in name and _SUBDOMAIN.fullmatch(name):
        valid, rule, longest = None, "must not contain dots", _LABEL_LENGTH
    else:
        valid, rule, longest = _LABEL.fullmatch(name), _LABEL_RULE, _LABEL_LENGTH
    causes = [invalid_value(field, shown, f"must be no more than {longest} characters")] if len(name) > longest else []
    return causes if valid else [*causes, invalid_value(field, shown, rule)]


def _owner_causes(owner: Document) -> list[Cause]:
    faults = (("apiVersion", "version must not be empty"), *((f, "must not be empty") for f in ("kind", "name", "uid")))
    return [
        invalid_value(f"metadata.ownerReferences.{field}", "", fault) for field, fault in faults if not owner.get(field)
    ]


def container_name_causes(field: str, name: object) -> list[Cause]:
    """Return what is wrong with a container's or volume's name (a DNS label)."""
    if not name:
        return [required(field)]
    if not _LABEL.fullmatch(str(name)) or len(str(name)) > _LABEL_LENGTH:
        return [invalid_value(field, str(name), _LABEL_RULE)]
    return []
