"""Names of objects: which are valid, and how `generateName` makes one."""

from __future__ import annotations

import re
import secrets

from multicluster.simulator.kubernetes.documents import Document
from multicluster.simulator.kubernetes.resources import Resource
from multicluster.simulator.kubernetes.status import Cause, invalid_value, required

_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"  # k8s.io/apimachinery/pkg/util/rand: no vowels, no look-alikes
_SUFFIX, _LONGEST_PREFIX = 5, 58
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABEL_KEY = re.compile(r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?")
_LABEL_LENGTH, _SUBDOMAIN_LENGTH = 63, 253

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


def generated(prefix: str) -> str:
    """Return a new name for a `generateName`; too long a prefix is cut, as the API server does."""
    return prefix[:_LONGEST_PREFIX] + "".join(secrets.choice(_ALPHABET) for _ in range(_SUFFIX))


def metadata_causes(resource: Resource, document: Document) -> list[Cause]:
    """Return what is wrong with an object's name and labels."""
    metadata = document["metadata"]
    name = metadata.get("name")
    if not name:
        return [required("metadata.name", "name or generateName is required")]
    causes = _name_causes(resource, str(name))
    for key, value in (metadata.get("labels") or {}).items():
        if not _LABEL_KEY.fullmatch(str(key)):
            causes.append(
                invalid_value(
                    "metadata.labels",
                    str(key),
                    "name part must consist of alphanumeric "
                    "characters, '-', '_' or '.', and must start and end with an alphanumeric character",
                )
            )
        if not isinstance(value, str) or not _LABEL_VALUE.fullmatch(value):
            causes.append(invalid_value("metadata.labels", str(value), _LABEL_VALUE_RULE))
        elif len(value) > _LABEL_LENGTH:
            causes.append(invalid_value("metadata.labels", value, "must be no more than 63 characters"))
    return causes


def _name_causes(resource: Resource, name: str) -> list[Cause]:
    if resource.kind == "Namespace":
        valid, rule, longest = _LABEL.fullmatch(name), _LABEL_RULE, _LABEL_LENGTH
    else:
        valid, rule, longest = _SUBDOMAIN.fullmatch(name), _SUBDOMAIN_RULE, _SUBDOMAIN_LENGTH
    causes = [] if valid else [invalid_value("metadata.name", name, rule)]
    if len(name) > longest:
        causes.append(invalid_value("metadata.name", name, f"must be no more than {longest} characters"))
    return causes


def container_name_causes(field: str, name: object) -> list[Cause]:
    """Return what is wrong with a container's or volume's name (a DNS label)."""
    if not name:
        return [required(field)]
    if not _LABEL.fullmatch(str(name)) or len(str(name)) > _LABEL_LENGTH:
        return [invalid_value(field, str(name), _LABEL_RULE)]
    return []
