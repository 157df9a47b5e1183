"""Who may do what: everybody everything, or what the roles and bindings of the cluster say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from multicluster.simulator.kubernetes.api.request_info import RequestInfo
from multicluster.simulator.kubernetes.documents import Document, at, namespace_of
from multicluster.simulator.kubernetes.resources import CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, ROLE_BINDINGS, ROLES
from multicluster.simulator.kubernetes.status import ApiError, qualified
from multicluster.simulator.kubernetes.store import Store
from multicluster.simulator.kubernetes.users import ANONYMOUS, User

_ADMINISTRATORS, _AUTHENTICATED = "system:masters", "system:authenticated"
_PUBLIC = ["/healthz", "/livez", "/readyz", "/version", "/version/"]
_DISCOVERY = ["/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*", *_PUBLIC]
_EVERYTHING: list[Document] = [
    {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]},
    {"verbs": ["*"], "nonResourceURLs": ["*"]},
]
_EVERYBODY: list[Document] = [{"verbs": ["get"], "nonResourceURLs": _PUBLIC}]
_KNOWN_BY_NAME: list[Document] = [
    {"verbs": ["get"], "nonResourceURLs": _DISCOVERY},
    {"verbs": ["create"], "apiGroups": ["authentication.k8s.io"], "resources": ["selfsubjectreviews"]},
    {
        "verbs": ["create"],
        "apiGroups": ["authorization.k8s.io"],
        "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
    },
]


class Authorizer:
    """Judges requests; not enforced, all but anonymous callers may do everything."""

    def __init__(self, store: Store, *, enforced: bool) -> None:
        self._store = store
        self._enforced = enforced

    def rules(self, user: User, namespace: str) -> list[Document]:
        """Return the rules that hold for a user in a namespace, and for what has none."""
        if user is ANONYMOUS:
            return _EVERYBODY
        if not self._enforced or _ADMINISTRATORS in user.groups:
            return _EVERYTHING
        return [*_KNOWN_BY_NAME, *self._granted(user, namespace)]

    def allows(self, info: RequestInfo, user: User) -> bool:
        """Return whether a user may make a request."""
        return any(_allows(rule, info) for rule in self.rules(user, info.namespace or ""))

    def check(self, info: RequestInfo, user: User) -> None:
        """Refuse a request its user may not make, in the words of a real server. Raises `ApiError` 403."""
        if self.allows(info, user):
            return
        if not info.is_resource:
            raise ApiError(403, f'forbidden: User "{user.name}" cannot {info.verb} path "{info.path}"', details={})
        subject = qualified(info.plural, info.group) + (f' "{info.name}"' if info.name else "")
        scope = f'in the namespace "{info.namespace}"' if info.namespace else "at the cluster scope"
        message = (
            f'{subject} is forbidden: User "{user.name}" cannot {info.verb} resource "{info.target}" '
            f'in API group "{info.group}" {scope}'
        )
        details = {key: value for key, value in (("name", info.name), ("group", info.group)) if value}
        raise ApiError(403, message, details={**details, "kind": info.plural})

    def _granted(self, user: User, namespace: str) -> Iterator[Document]:
        bindings = [*self._store.all(CLUSTER_ROLE_BINDINGS)]
        if namespace:
            bindings += self._store.all(ROLE_BINDINGS, namespace)
        for binding in bindings:
            if any(_is(subject, user, namespace_of(binding)) for subject in binding.get("subjects") or []):
                clusterwide = binding["roleRef"]["kind"] == CLUSTER_ROLES.kind
                kept, place = (CLUSTER_ROLES, "") if clusterwide else (ROLES, namespace)
                yield from at(self._store.find(kept, place, binding["roleRef"]["name"]), "rules", default=[])


def _is(subject: Document, user: User, namespace: str) -> bool:
    kind, name = subject["kind"], subject["name"]
    if kind == "Group":
        return name in (*user.groups, _AUTHENTICATED)
    if kind == "ServiceAccount":
        name = f"system:serviceaccount:{subject.get('namespace') or namespace}:{name}"
    return bool(user.name == name)


def _allows(rule: Document, info: RequestInfo) -> bool:
    if not _any_of(rule["verbs"], info.verb):
        return False
    if not info.is_resource:
        return any(
            path == info.path or (path.endswith("*") and info.path.startswith(path[:-1]))
            for path in rule.get("nonResourceURLs") or []
        )
    resources, names = rule.get("resources") or [], rule.get("resourceNames") or []
    return (
        _any_of(rule.get("apiGroups") or [], info.group)
        and (_any_of(resources, info.target) or bool(info.subresource and f"*/{info.subresource}" in resources))
        and (not names or info.name in names)
    )


def _any_of(allowed: Iterable[str], wanted: str) -> bool:
    return "*" in allowed or wanted in allowed
