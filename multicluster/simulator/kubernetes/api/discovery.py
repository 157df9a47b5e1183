"""Discovery: which groups, versions and resources there are."""

from __future__ import annotations

from multicluster.simulator.kubernetes.documents import Document
from multicluster.simulator.kubernetes.resources import RESOURCES, Resource, groups

_SUBRESOURCE_KINDS = {
    "binding": ("Binding", "v1", ("create",)),
    "eviction": ("Eviction", "policy/v1", ("create",)),
    "exec": ("PodExecOptions", "v1", ("create", "get")),
    "log": ("Pod", "v1", ("get",)),
}
_REVIEWS = {
    "authentication.k8s.io": (("selfsubjectreviews", "SelfSubjectReview"),),
    "authorization.k8s.io": (
        ("selfsubjectaccessreviews", "SelfSubjectAccessReview"),
        ("selfsubjectrulesreviews", "SelfSubjectRulesReview"),
    ),
}


def version(number: str) -> Document:
    """Return `/version`."""
    major, minor, _ = number.split(".", 2)
    return {
        "major": major,
        "minor": minor,
        "gitVersion": f"v{number}",
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "2026-01-01T00:00:00Z",
        "goVersion": "",
        "emulationMajor": major,
        "emulationMinor": minor,
        "minCompatibilityMajor": major,
        "minCompatibilityMinor": str(int(minor) - 1),
        "compiler": "cpython",
        "platform": "linux/amd64",
    }


def described(path: str, number: str) -> Document | None:
    """Return what stands at an address of discovery, None where there is nothing."""
    parts = path.strip("/").split("/")
    if path == "/version":
        return version(number)
    if path in ("/api", "/apis"):
        return api_versions() if path == "/api" else api_groups()
    if parts[0] == "apis" and len(parts) == 2:  # noqa: PLR2004 - /apis/GROUP
        return api_group(parts[1])
    if parts[-1] == "v1" and parts[:-1] == ["api"]:
        return api_resources("")
    return api_resources(parts[1]) if parts[0] == "apis" and parts[2:] == ["v1"] else None


def api_versions() -> Document:
    """Return `/api`."""
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}


def api_group(name: str) -> Document | None:
    """Return `/apis/<name>`."""
    if name not in _group_names():
        return None
    served = {"groupVersion": f"{name}/v1", "version": "v1"}
    return {"kind": "APIGroup", "apiVersion": "v1", "name": name, "versions": [served], "preferredVersion": served}


def api_groups() -> Document:
    """Return `/apis`."""
    listed = []
    for name in _group_names():
        group = dict(api_group(name) or {})
        del group["kind"], group["apiVersion"]
        listed.append(group)
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": listed}


def api_resources(group: str) -> Document | None:
    """Return `/api/v1` or `/apis/<group>/v1`."""
    listed = [entry for resource in RESOURCES if resource.group == group for entry in _entries(resource)]
    listed += [
        {"name": plural, "singularName": kind.lower(), "namespaced": False, "kind": kind, "verbs": ["create"]}
        for plural, kind in _REVIEWS.get(group, ())
    ]
    if not listed:
        return None
    served = f"{group}/v1" if group else "v1"
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": served, "resources": listed}


def reviews_of(group: str) -> tuple[str, ...]:
    """Return the plurals of a group's reviews: they can be created and are never kept."""
    return tuple(plural for plural, _ in _REVIEWS.get(group, ()))


def _group_names() -> list[str]:
    return sorted({*groups(), *_REVIEWS})


def _entries(resource: Resource) -> list[Document]:
    main: Document = {
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        main["shortNames"] = list(resource.short_names)
    if resource.categories:
        main["categories"] = list(resource.categories)
    return [main, *(_subresource(resource, name) for name in resource.subresources)]


def _subresource(resource: Resource, name: str) -> Document:
    kind, served, verbs = _SUBRESOURCE_KINDS.get(name, (resource.kind, "", ("get", "patch", "update")))
    entry: Document = {
        "name": f"{resource.plural}/{name}",
        "singularName": "",
        "namespaced": resource.namespaced,
        "kind": kind,
        "verbs": list(verbs),
    }
    if "/" in served:
        entry["group"], _, entry["version"] = served.partition("/")
    return entry


def aggregated(*, core: bool) -> Document:
    """Return all of `/api` or of `/apis` in one piece, as kubectl asks for it."""
    items = [
        {
            "metadata": {"name": group} if group else {},
            "versions": [{"version": "v1", "resources": _aggregated(group), "freshness": "Current"}],
        }
        for group in ([""] if core else _group_names())
    ]
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}


def _aggregated(group: str) -> list[Document]:
    merged: dict[str, Document] = {}
    for entry in (api_resources(group) or {"resources": []})["resources"]:
        name, _, subresource = entry["name"].partition("/")
        kind = {"group": entry.get("group", ""), "version": entry.get("version", ""), "kind": entry["kind"]}
        if subresource:
            part = {"subresource": subresource, "responseKind": kind, "verbs": entry["verbs"]}
            merged[name].setdefault("subresources", []).append(part)
            continue
        scope = "Namespaced" if entry["namespaced"] else "Cluster"
        merged[name] = {
            "resource": name,
            "responseKind": kind,
            "scope": scope,
            "singularResource": entry["singularName"],
        }
        merged[name] |= {key: entry[key] for key in ("verbs", "shortNames", "categories") if key in entry}
    return list(merged.values())
