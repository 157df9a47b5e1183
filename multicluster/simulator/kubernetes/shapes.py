"""What each kind looks like when it is stored, pods apart: its defaults, and what is wrong with it."""

from __future__ import annotations

import json
import uuid

from multicluster.simulator.kubernetes.config_rules import change_causes, content_causes, encode_texts
from multicluster.simulator.kubernetes.documents import Document, at
from multicluster.simulator.kubernetes.resources import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    CONFIG_MAPS,
    JOBS,
    NAMESPACES,
    NODES,
    ROLE_BINDINGS,
    ROLES,
    SECRETS,
    Resource,
)
from multicluster.simulator.kubernetes.role_rules import (
    binding_causes,
    binding_update_causes,
    role_causes,
    with_groups,
)
from multicluster.simulator.kubernetes.status import Cause, required

_BINDINGS = (ROLE_BINDINGS, CLUSTER_ROLE_BINDINGS)
_JOB_POLICIES = ("OnFailure", "Never")
_JOB_DEFAULTS = {
    "parallelism": 1,
    "completions": 1,
    "backoffLimit": 6,
    "manualSelector": False,
    "completionMode": "NonIndexed",
    "suspend": False,
    "podReplacementPolicy": "TerminatingOrFailed",
}
_DEFAULTS: dict[Resource, Document] = {
    NAMESPACES: {"spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}},
    NODES: {"spec": {}, "status": {}},
    ROLES: {"rules": None},
    CLUSTER_ROLES: {"rules": None},
}


def shaped(resource: Resource, document: Document, old: Document | None = None) -> tuple[Document, list[Cause]]:
    """Return an object as it is stored, and what is wrong with it; `old` is what it was before an update."""
    document = _filled(resource, document, new=old is None)
    if resource in _BINDINGS:
        document = with_groups(document)
        fixed = binding_update_causes(old, document) if old else []
        return document, fixed or binding_causes(resource, document)
    if resource in (ROLES, CLUSTER_ROLES):
        return document, role_causes(resource, document)
    if resource in (SECRETS, CONFIG_MAPS):
        if resource is SECRETS:
            encode_texts(document)
        fixed = change_causes(resource, old, document) if old else []
        return document, content_causes(resource, document) + fixed
    return document, _job_causes(document["spec"]) if resource is JOBS and old is None else []


def _filled(resource: Resource, document: Document, *, new: bool) -> Document:
    if not new:
        return document
    if resource is JOBS:
        return _job(document)
    if resource is NAMESPACES:
        return {**document, **_DEFAULTS[resource]}
    if resource in _DEFAULTS:
        return {**_DEFAULTS[resource], **document}
    return {**document, "status": {}} if "status" in resource.subresources else document


def _job(document: Document) -> Document:
    """Return a job with the labels its pods are found by; they hold its uid."""
    metadata, spec = document["metadata"], {**_JOB_DEFAULTS, **document.get("spec", {})}
    template = spec.setdefault("template", {})
    identity = {"controller-uid": metadata.setdefault("uid", str(uuid.uuid4())), "job-name": metadata.get("name", "")}
    prefixed = {f"batch.kubernetes.io/{key}": value for key, value in identity.items()}
    labels = {**at(template, "metadata", "labels", default={}), **identity, **prefixed}
    template["metadata"] = {**(template.get("metadata") or {}), "labels": labels}
    metadata.setdefault("labels", labels)
    key = "batch.kubernetes.io/controller-uid"
    spec["selector"] = {"matchLabels": {key: prefixed[key]}}
    return {**document, "spec": spec, "status": {}}


def _job_causes(spec: Document) -> list[Cause]:
    policy = at(spec, "template", "spec", "restartPolicy", default="Always")
    if not at(spec, "template", "spec", "containers"):
        return [required("spec.template.spec.containers")]
    if policy not in _JOB_POLICIES:
        return [
            required("spec.template.spec.restartPolicy", f"valid values: {', '.join(map(json.dumps, _JOB_POLICIES))}")
        ]
    return []
