"""From a document a client sent to one that can be stored: checked, defaulted, or refused."""

from __future__ import annotations

from multicluster.simulator.kubernetes.documents import Document, at, namespace_of, without_nulls
from multicluster.simulator.kubernetes.names import generated, metadata_causes
from multicluster.simulator.kubernetes.pod_rules import check_quantities, defaulted, pod_causes, update_causes
from multicluster.simulator.kubernetes.quotas import Quotas
from multicluster.simulator.kubernetes.resources import (
    EVENTS,
    NAMESPACES,
    PODS,
    PRIORITY_CLASSES,
    SERVICE_ACCOUNTS,
    Resource,
)
from multicluster.simulator.kubernetes.service_accounts import mount_account
from multicluster.simulator.kubernetes.shapes import shaped
from multicluster.simulator.kubernetes.status import (
    ApiError,
    Cause,
    conflict,
    forbidden,
    forbidden_field,
    invalid,
    not_found,
)
from multicluster.simulator.kubernetes.store import Store

_JOB_POLICIES = ("OnFailure", "Never")
_SERVER_OWNED = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds")


class Admission:
    """The gate before the store."""

    def __init__(self, store: Store, quotas: Quotas) -> None:
        self._store = store
        self._quotas = quotas

    def new(self, resource: Resource, namespace: str, sent: Document) -> Document:
        """Return what to store for a document that was posted. Raises `ApiError`."""
        document: Document = without_nulls(sent)
        self._check_place(namespace, document)
        document["kind"], document["apiVersion"] = resource.kind, resource.api_version
        metadata = document["metadata"]
        if metadata.get("resourceVersion"):
            raise ApiError(500, "resourceVersion should not be set on objects to be created", reason="")
        for field in (*_SERVER_OWNED, "resourceVersion", "selfLink"):
            metadata.pop(field, None)
        if resource.namespaced:
            metadata["namespace"] = namespace
        if not metadata.get("name") and metadata.get("generateName"):
            metadata["name"] = generated(metadata["generateName"])
        if resource is NAMESPACES:
            metadata.setdefault("labels", {})["kubernetes.io/metadata.name"] = metadata.get("name", "")
        self._refuse(resource, document, metadata_causes(resource, document))
        self._check_namespace(resource, document)
        if resource is PODS:
            document = self._pod(document)
        else:
            document, causes = shaped(resource, document)
            self._refuse(resource, document, causes)
        if resource.namespaced:
            self._quotas.check(resource, document)
        return document

    def changed(self, resource: Resource, old: Document, sent: Document) -> Document:
        """Return what to store for an object that was changed. Raises `ApiError`."""
        document: Document = without_nulls(sent)
        metadata = document.setdefault("metadata", {})
        name = old["metadata"]["name"]
        if metadata.get("name", name) != name:
            raise ApiError(
                400, f"the name of the object ({metadata['name']}) does not match the name on the URL ({name})"
            )
        self._check_place(namespace_of(old), document)
        version = metadata.get("resourceVersion")
        if version and not version.isdigit():
            raise ApiError(500, f'strconv.ParseUint: parsing "{version}": invalid syntax', reason="")
        if version and version != old["metadata"]["resourceVersion"]:
            why = "the object has been modified; please apply your changes to the latest version and try again"
            raise conflict(resource.plural, resource.group, name, why)
        self._keep_identity(resource, old, document)
        causes = metadata_causes(resource, document) + _new_finalizers(old, document)
        self._refuse(resource, document, causes)
        if resource is PODS:
            check_quantities(document)
            self._refuse(resource, document, update_causes(old, document))
        document, causes = shaped(resource, document, old)
        self._refuse(resource, document, causes)
        if resource.generations and document.get("spec") != old.get("spec"):
            metadata["generation"] = int(old["metadata"].get("generation", 1)) + 1
        return document

    def _keep_identity(self, resource: Resource, old: Document, document: Document) -> None:
        metadata, before = document["metadata"], old["metadata"]
        if metadata.get("uid", before["uid"]) != before["uid"]:
            key = f"/registry/{resource.plural}/{before.get('namespace', '')}/{before['name']}"
            why = (
                f"StorageError: invalid object, Code: 4, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg: "
                f"Precondition failed: UID in precondition: {metadata['uid']}, UID in object meta: {before['uid']}"
            )
            raise conflict(resource.plural, resource.group, before["name"], why)
        for field in (*_SERVER_OWNED, "name", "namespace", "resourceVersion"):
            if field in before:
                metadata[field] = before[field]
            else:
                metadata.pop(field, None)
        document["kind"], document["apiVersion"] = old["kind"], old["apiVersion"]

    @staticmethod
    def _check_place(namespace: str, document: Document) -> None:
        document.setdefault("metadata", {})
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
            error = forbidden(resource.plural, resource.group, document["metadata"]["name"], why)
            cause = {"reason": "NamespaceTerminating", "message": f"namespace {name} is being terminated"}
            error.details = {**(error.details or {}), "causes": [{**cause, "field": "metadata.namespace"}]}
            raise error

    def _pod(self, document: Document) -> Document:
        check_quantities(document)
        pod = defaulted(document)
        self._refuse(PODS, pod, pod_causes(pod))
        namespace, account = namespace_of(pod), str(pod["spec"]["serviceAccountName"])
        if self._store.find(SERVICE_ACCOUNTS, namespace, account) is None:
            why = f'error looking up service account {namespace}/{account}: serviceaccount "{account}" not found'
            raise forbidden("pods", "", pod["metadata"]["name"], why)
        if runtime_class := pod["spec"].get("runtimeClassName"):  # the kind is not served, so that there is none
            why = f'pod rejected: RuntimeClass "{runtime_class}" not found'
            raise forbidden("pods", "", pod["metadata"]["name"], why)
        self._give_priority(pod)
        mount_account(pod["spec"])
        return pod

    def _give_priority(self, pod: Document) -> None:
        name = pod["spec"].get("priorityClassName")
        if name:
            found = self._store.find(PRIORITY_CLASSES, "", str(name))
            if found is None:
                why = f"no PriorityClass with name {name} was found"
                raise forbidden("pods", "", pod["metadata"]["name"], why)
            pod["spec"]["priority"] = int(found.get("value") or 0)
            pod["spec"]["preemptionPolicy"] = found.get("preemptionPolicy", "PreemptLowerPriority")

    @staticmethod
    def _refuse(resource: Resource, document: Document, causes: list[Cause]) -> None:
        if causes:
            raise invalid(resource.kind, resource.group, document["metadata"].get("name") or "", causes)


def _new_finalizers(old: Document, new: Document) -> list[Cause]:
    """Return the causes for finalizers added to what is being deleted."""
    before, after = (at(document, "metadata", "finalizers", default=[]) for document in (old, new))
    added = [finalizer for finalizer in after if finalizer not in before]
    if not added or "deletionTimestamp" not in old["metadata"]:
        return []
    shown = ", ".join(f'"{finalizer}"' for finalizer in added)
    why = f"no new finalizers can be added if the object is being deleted, found new finalizers []string{{{shown}}}"
    return [forbidden_field("metadata.finalizers", why)]
