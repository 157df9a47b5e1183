"""The namespace controllers: a default service account and the CA in each, and an end with all its content."""

from __future__ import annotations

from multicluster.simulator.kubernetes.deletion import DeleteOptions, Deletion
from multicluster.simulator.kubernetes.documents import name_of, namespace_of
from multicluster.simulator.kubernetes.resources import CONFIG_MAPS, EVENTS, NAMESPACES, SERVICE_ACCOUNTS
from multicluster.simulator.kubernetes.store import Change, Store

_DESCRIPTION = {
    "kubernetes.io/description": "Contains a CA bundle that can be used to verify the kube-apiserver when using "
    "internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across "
    "distributions of Kubernetes clusters."
}


class NamespaceController:
    """Fills new namespaces and empties those being deleted."""

    def __init__(self, store: Store, deletion: Deletion, ca_pem: bytes) -> None:
        self._store = store
        self._deletion = deletion
        self._ca = ca_pem.decode()
        store.subscribe(self._changed)

    def _changed(self, change: Change) -> None:
        if change.resource is NAMESPACES and change.type == "ADDED":
            self._fill(name_of(change.document))
        elif change.resource is NAMESPACES and change.type == "MODIFIED":
            if "deletionTimestamp" in change.document["metadata"]:
                self._empty(name_of(change.document))
        elif change.type == "DELETED" and change.resource.namespaced:
            namespace = self._store.find(NAMESPACES, "", namespace_of(change.document))
            if namespace is not None and "deletionTimestamp" in namespace["metadata"]:
                self._close(name_of(namespace))
            elif (
                namespace is not None and change.resource is SERVICE_ACCOUNTS and name_of(change.document) == "default"
            ):
                self._add_account(name_of(namespace))

    def _fill(self, namespace: str) -> None:
        self._add_account(namespace)
        metadata = {"name": "kube-root-ca.crt", "namespace": namespace, "annotations": _DESCRIPTION}
        ca = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": metadata, "data": {"ca.crt": self._ca}}
        self._store.create(CONFIG_MAPS, ca)

    def _add_account(self, namespace: str) -> None:
        account = {"kind": "ServiceAccount", "apiVersion": "v1"}
        self._store.create(SERVICE_ACCOUNTS, {**account, "metadata": {"name": "default", "namespace": namespace}})

    def _empty(self, namespace: str) -> None:
        for resource, document in list(self._store.namespaced(namespace)):
            if self._store.find(resource, namespace, name_of(document)) is not None:
                self._deletion.delete(resource, namespace, name_of(document), DeleteOptions())
        self._close(namespace)

    def _close(self, namespace: str) -> None:
        document = self._store.find(NAMESPACES, "", namespace)
        if document is None or "deletionTimestamp" not in document["metadata"]:
            return
        left = [found for resource, found in self._store.namespaced(namespace) if resource is not EVENTS]
        if not left:
            for event in self._store.all(EVENTS, namespace):
                self._store.remove(EVENTS, namespace, name_of(event))
            if self._store.find(NAMESPACES, "", namespace) is not None:
                self._store.remove(NAMESPACES, "", namespace)
