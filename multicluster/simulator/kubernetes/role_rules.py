"""What a role and a binding must hold (pkg/apis/rbac/validation)."""

from __future__ import annotations

from multicluster.simulator.kubernetes.documents import Document
from multicluster.simulator.kubernetes.resources import CLUSTER_ROLE_BINDINGS, ROLES, Resource
from multicluster.simulator.kubernetes.status import Cause, invalid_value, required, unsupported

GROUP = "rbac.authorization.k8s.io"
_NO_VERBS = "verbs must contain at least one value"
_NO_GROUPS = "resource rules must supply at least one api group"
_NO_RESOURCES = "resource rules must supply at least one resource"
_NO_PATHS = "namespaced rules cannot apply to non-resource URLs"
_SUBJECTS = {"ServiceAccount": "", "User": GROUP, "Group": GROUP}
_REFERENCE = (("APIGroup", "apiGroup"), ("Kind", "kind"), ("Name", "name"))


def role_causes(resource: Resource, role: Document) -> list[Cause]:
    """Return what is wrong with the rules of a role."""
    causes = []
    for index, rule in enumerate(role.get("rules") or []):
        field = f"rules[{index}]"
        if not rule.get("verbs"):
            causes.append(required(f"{field}.verbs", _NO_VERBS))
        paths = rule.get("nonResourceURLs")
        if paths:
            if resource is ROLES:
                causes.append(invalid_value(f"{field}.nonResourceURLs", paths, _NO_PATHS))
            continue
        if not rule.get("apiGroups"):
            causes.append(required(f"{field}.apiGroups", _NO_GROUPS))
        if not rule.get("resources"):
            causes.append(required(f"{field}.resources", _NO_RESOURCES))
    return causes


def with_groups(binding: Document) -> Document:
    """Return a binding with the API groups it left out."""
    reference = {"apiGroup": GROUP, **(binding.get("roleRef") or {})}
    subjects = [
        {**({"apiGroup": group} if (group := _SUBJECTS.get(subject.get("kind", ""))) else {}), **subject}
        for subject in binding.get("subjects") or []
    ]
    kept = {key: value for key, value in binding.items() if key != "subjects"}
    return {**kept, "roleRef": reference, **({"subjects": subjects} if subjects else {})}


def binding_causes(resource: Resource, binding: Document) -> list[Cause]:
    """Return what is wrong with a binding."""
    reference = binding["roleRef"]
    kinds = ("ClusterRole",) if resource is CLUSTER_ROLE_BINDINGS else ("Role", "ClusterRole")
    causes = []
    if reference["apiGroup"] != GROUP:
        causes.append(unsupported("roleRef.apiGroup", reference["apiGroup"], (GROUP,)))
    if reference.get("kind") not in kinds:
        causes.append(unsupported("roleRef.kind", reference.get("kind", ""), kinds))
    if not reference.get("name"):
        causes.append(required("roleRef.name"))
    for index, subject in enumerate(binding.get("subjects") or []):
        if not subject.get("name"):
            causes.append(required(f"subjects[{index}].name"))
        if subject.get("kind") not in _SUBJECTS:
            causes.append(unsupported(f"subjects[{index}].kind", subject.get("kind", ""), tuple(_SUBJECTS)))
    return causes


def binding_update_causes(old: Document, new: Document) -> list[Cause]:
    """Return what an update of a binding may not change."""
    if old["roleRef"] == new["roleRef"]:
        return []
    shown = {go: new["roleRef"].get(name, "") for go, name in _REFERENCE}
    return [invalid_value("roleRef", shown, "cannot change roleRef")]
