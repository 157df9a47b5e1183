"""From a document a client sent to one that can be stored: checked, defaulted, or refused."""

from __future__ import annotations

import base64

from multicluster.simulator.kubernetes.documents import Document, at, namespace_of, without_nulls
from multicluster.simulator.kubernetes.names import generated, metadata_causes
from multicluster.simulator.kubernetes.pod_rules import check_quantities, defaulted, pod_causes, update_causes
from multicluster.simulator.kubernetes.resources import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    EVENTS,
    JOBS,
    NAMESPACES,
    NODES,
    PODS,
    ROLE_BINDINGS,
    ROLES,
    SECRETS,
    SERVICE_ACCOUNTS,
    Resource,
)
from multicluster.simulator.kubernetes.role_rules import (
    binding_causes,
    binding_update_causes,
    role_causes,
    with_groups,
)
from multicluster.simulator.kubernetes.status import (
    ApiError,
    Cause,
    conflict,
    forbidden,
    invalid,
    not_found,
    required,
    unsupported,
)
from multicluster.simulator.kubernetes.store import Store

_JOB_POLICIES = ("OnFailure", "Never")
_SERVER_OWNED = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation")


class Admission:
    """The gate before the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def new(self, resource: Resource, namespace: str, sent: Document) -> Document:
        """Return what to store for a document that was posted. Raises `ApiError`."""
        document: Document = without_nulls(sent)
        self._check_envelope(resource, namespace, document)
        document["kind"], document["apiVersion"] = resource.kind, resource.api_version
        metadata = document["metadata"]
        if metadata.get("resourceVersion"):
            raise ApiError(400, "resourceVersion should not be set on objects to be created")
        for field in (*_SERVER_OWNED, "resourceVersion", "selfLink"):
            metadata.pop(field, None)
        if resource.namespaced:
            metadata["namespace"] = namespace
        if not metadata.get("name") and metadata.get("generateName"):
            metadata["name"] = generated(metadata["generateName"])
        self._refuse(resource, document, metadata_causes(resource, document))
        self._check_namespace(resource, document)
        return self._shaped(resource, document)

    def changed(self, resource: Resource, old: Document, sent: Document) -> Document:
        """Return what to store for an object that was changed. Raises `ApiError`."""
        document: Document = without_nulls(sent)
        metadata = document.setdefault("metadata", {})
        name = old["metadata"]["name"]
        if metadata.get("name", name) != name:
            raise ApiError(
                400, f"the name of the object ({metadata['name']}) does not match the name on the URL ({name})"
            )
        version = metadata.get("resourceVersion")
        if version and version != old["metadata"]["resourceVersion"]:
            why = "the object has been modified; please apply your changes to the latest version and try again"
            raise conflict(resource.plural, resource.group, name, why)
        self._keep_identity(resource, old, document)
        self._refuse(resource, document, metadata_causes(resource, document))
        if resource is PODS:
            check_quantities(document)
            self._refuse(resource, document, update_causes(old, document))
        if resource is SECRETS:
            _encode_secret(document)
        if resource in (ROLES, CLUSTER_ROLES):
            self._refuse(resource, document, role_causes(resource, document))
        if resource in (ROLE_BINDINGS, CLUSTER_ROLE_BINDINGS):
            document = with_groups(document)
            causes = binding_update_causes(old, document) or binding_causes(resource, document)
            self._refuse(resource, document, causes)
        if resource.generations and document.get("spec") != old.get("spec"):
            metadata["generation"] = int(old["metadata"].get("generation", 1)) + 1
        return document

    def _keep_identity(self, resource: Resource, old: Document, document: Document) -> None:
        metadata, before = document["metadata"], old["metadata"]
        if metadata.get("uid", before["uid"]) != before["uid"]:
            why = f"Precondition failed: UID in precondition: {metadata['uid']}, UID in object meta: {before['uid']}"
            raise conflict(resource.plural, resource.group, before["name"], why)
        for field in (*_SERVER_OWNED, "name", "namespace", "resourceVersion"):
            if field in before:
                metadata[field] = before[field]
            else:
                metadata.pop(field, None)
        document["kind"], document["apiVersion"] = old["kind"], old["apiVersion"]

    def _check_envelope(self, resource: Resource, namespace: str, document: Document) -> None:
        kind, version = document.get("kind", resource.kind), document.get("apiVersion", resource.api_version)
        if kind != resource.kind:
            raise ApiError(400, f'{resource.kind} in version "{resource.version}" cannot be handled as a {kind}')
        if version != resource.api_version:
            raise ApiError(
                400,
                f"the API version in the data ({version}) does not match the expected API version "
                f"({resource.api_version})",
            )
        if not isinstance(document.setdefault("metadata", {}), dict):
            raise ApiError(400, "metadata must be an object")
        if namespace_of(document) not in ("", namespace):
            raise ApiError(400, "the namespace of the provided object does not match the namespace sent on the request")

    def _check_namespace(self, resource: Resource, document: Document) -> None:
        if not resource.namespaced:
            return
        namespace = self._store.find(NAMESPACES, "", namespace_of(document))
        if namespace is None:
            raise not_found("namespaces", "", namespace_of(document))
        if "deletionTimestamp" in namespace["metadata"] and resource is not EVENTS:
            name = namespace_of(document)
            why = f"unable to create new content in namespace {name} because it is being terminated"
            raise forbidden(resource.plural, resource.group, document["metadata"]["name"], why)

    def _shaped(self, resource: Resource, document: Document) -> Document:
        if resource is PODS:
            return self._pod(document)
        if resource is NAMESPACES:
            document.setdefault("spec", {})["finalizers"] = ["kubernetes"]
            document["status"] = {"phase": "Active"}
            document["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = document["metadata"]["name"]
        elif resource is SECRETS:
            _encode_secret(document)
        elif resource is NODES:
            document.setdefault("spec", {})
            document.setdefault("status", {})
        elif resource is JOBS:
            spec = document.setdefault("spec", {})
            self._refuse(resource, document, _job_causes(spec))
            for key, value in (("parallelism", 1), ("completions", 1), ("backoffLimit", 6), ("suspend", False)):
                spec.setdefault(key, value)
            spec["template"]["metadata"] = spec["template"].get("metadata") or {}
            document["status"] = {}
        elif resource in (ROLES, CLUSTER_ROLES):
            self._refuse(resource, document, role_causes(resource, document))
            document.setdefault("rules", None)
        elif resource in (ROLE_BINDINGS, CLUSTER_ROLE_BINDINGS):
            document = with_groups(document)
            self._refuse(resource, document, binding_causes(resource, document))
        elif "status" in resource.subresources:
            document["status"] = {}
        return document

    def _pod(self, document: Document) -> Document:
        check_quantities(document)
        pod = defaulted(document)
        self._refuse(PODS, pod, pod_causes(pod))
        namespace, account = namespace_of(pod), str(pod["spec"]["serviceAccountName"])
        if self._store.find(SERVICE_ACCOUNTS, namespace, account) is None:
            why = f'error looking up service account {namespace}/{account}: serviceaccount "{account}" not found'
            raise forbidden("pods", "", pod["metadata"]["name"], why)
        return pod

    @staticmethod
    def _refuse(resource: Resource, document: Document, causes: list[Cause]) -> None:
        if causes:
            raise invalid(resource.kind, resource.group, document["metadata"].get("name") or "", causes)


def _encode_secret(document: Document) -> None:
    """Move `stringData` into `data`, as it is stored."""
    document.setdefault("type", "Opaque")
    plain = document.pop("stringData", {})
    encoded = {key: base64.b64encode(str(value).encode()).decode() for key, value in plain.items()}
    document["data"] = {**document.get("data", {}), **encoded}


def _job_causes(spec: Document) -> list[Cause]:
    """Return what is wrong with a job's spec."""
    policy = at(spec, "template", "spec", "restartPolicy", default="Always")
    if not at(spec, "template", "spec", "containers"):
        return [required("spec.template.spec.containers")]
    if policy not in _JOB_POLICIES:
        return [unsupported("spec.template.spec.restartPolicy", policy, _JOB_POLICIES)]
    return []
