"""The manifests of infra/rbac, put together as kustomize does, and what is left of them without one verb."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

RBAC = Path(__file__).resolve().parents[3] / "infra" / "rbac"
USER, GROUP = "airflow", "airflow-multicluster"
NAMESPACE = "ml"
CLUSTERWIDE = frozenset({"Namespace", "ClusterRole", "ClusterRoleBinding"})
PLURALS = {
    "Namespace": "/api/v1/namespaces",
    "ResourceQuota": "/api/v1/namespaces/{namespace}/resourcequotas",
    "Role": "/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/roles",
    "RoleBinding": "/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings",
    "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
}

Document = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """A role without one verb of one resource."""

    component: str
    role: Document
    group: str
    resource: str
    verb: str
    name: str

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}"


def manifests(folder: str = "all") -> list[Document]:
    """Put a folder together: its resources, its components, its namespace."""
    place = RBAC / folder
    kustomization = yaml.safe_load((place / "kustomization.yaml").read_text())
    found: list[Document] = []
    for name in (*kustomization.get("resources", ()), *kustomization.get("components", ())):
        if name.endswith(".yaml"):
            found += yaml.safe_load_all((place / name).read_text())
        else:
            found += manifests(str((place / name).resolve().relative_to(RBAC)))
    if "namespace" in kustomization:
        for document in found:
            if document["kind"] not in CLUSTERWIDE:
                document["metadata"]["namespace"] = kustomization["namespace"]
    return found


def path_of(document: Document, *, name: bool = True) -> str:
    """Return where the API keeps an object, or its kind."""
    path = PLURALS[document["kind"]].format(namespace=document["metadata"].get("namespace"))
    return f"{path}/{document['metadata']['name']}" if name else path


def roles() -> list[Document]:
    """Return the roles, of namespaces and of the cluster."""
    return [document for document in manifests() if document["kind"].endswith("Role")]


def mutants() -> Iterator[Mutant]:
    """Yield each role without each verb of each resource of each rule."""
    for role in roles():
        for number, rule in enumerate(role["rules"]):
            for resource in rule["resources"]:
                for verb in rule["verbs"]:
                    yield Mutant(
                        component=role["metadata"]["name"].removeprefix(f"{GROUP}-"),
                        role=without(role, number, resource, verb),
                        group=rule["apiGroups"][0],
                        resource=resource,
                        verb=verb,
                        name=rule.get("resourceNames", [""])[0],
                    )


def without(role: Document, number: int, resource: str, verb: str) -> Document:
    """Return a role in which one rule lacks a verb for a resource, and keeps it for the others."""
    less = copy.deepcopy(role)
    rule = less["rules"].pop(number)
    others = {**rule, "resources": [one for one in rule["resources"] if one != resource]}
    rest = {**rule, "resources": [resource], "verbs": [one for one in rule["verbs"] if one != verb]}
    less["rules"] += [one for one in (others, rest) if one["resources"] and one["verbs"]]
    return less
