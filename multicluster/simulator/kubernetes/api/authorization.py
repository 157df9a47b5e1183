"""Who may do what: everybody everything, or by rules when there are some."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from multicluster.simulator.kubernetes.api.request_info import RequestInfo
from multicluster.simulator.kubernetes.resources import NAMESPACES
from multicluster.simulator.kubernetes.status import ApiError, qualified
from multicluster.simulator.kubernetes.users import ANONYMOUS, User

_PUBLIC = ("/healthz", "/livez", "/readyz", "/version")
_DISCOVERY = ("/api", "/apis", "/openapi", "/.well-known")
_ADMINISTRATORS = "system:masters"
_REVIEWS = ("selfsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews")


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What may be done, as in an RBAC role; `*` is any. `namespaces` replaces the choice of a binding."""

    verbs: tuple[str, ...]
    resources: tuple[str, ...]
    api_groups: tuple[str, ...] = ("*",)
    namespaces: tuple[str, ...] = ("*",)
    resource_names: tuple[str, ...] = ()

    def allows(self, info: RequestInfo) -> bool:
        """Whether a request is one of those this rule allows."""
        return (
            _any_of(self.verbs, info.verb)
            and _any_of(self.resources, info.target)
            and _any_of(self.api_groups, info.group)
            and _any_of(self.namespaces, info.namespace)
            and (not self.resource_names or info.name in self.resource_names)
        )


def _any_of(allowed: Iterable[str], wanted: str | None) -> bool:
    return "*" in allowed or (wanted is not None and wanted in allowed)


@dataclass(frozen=True, kw_only=True)
class RbacRules:
    """Rules by user name and by group. Members of `system:masters` may do everything."""

    users: Mapping[str, tuple[Rule, ...]] = field(default_factory=dict)
    groups: Mapping[str, tuple[Rule, ...]] = field(default_factory=dict)

    def of(self, user: User) -> tuple[Rule, ...]:
        """Return the rules that hold for a user."""
        granted = list(self.users.get(user.name, ()))
        for group in (*user.groups, "system:authenticated"):
            granted += self.groups.get(group, ())
        return tuple(granted)


def allowed(info: RequestInfo, user: User, rules: RbacRules | None) -> bool:
    """Return whether a user may make a request. Anonymous ones may see version and health only."""
    public = any(info.path == path or info.path.startswith(path + "/") for path in _PUBLIC)
    if user is ANONYMOUS or not info.is_resource:
        discovery = any(info.path == path or info.path.startswith(path + "/") for path in _DISCOVERY)
        return public or (user is not ANONYMOUS and (rules is None or discovery or _ADMINISTRATORS in user.groups))
    if rules is None or _ADMINISTRATORS in user.groups or info.plural in _REVIEWS:
        return True
    return any(rule.allows(info) for rule in rules.of(user))


def authorize(info: RequestInfo, user: User, rules: RbacRules | None) -> None:
    """Refuse a request its user may not make, in the words of a real server. Raises `ApiError` 403."""
    if allowed(info, user, rules):
        return
    if not info.is_resource:
        message = f'forbidden: User "{user.name}" cannot {info.verb} path "{info.path}"'
        raise ApiError(403, message, details={})
    subject = qualified(info.plural, info.group) + (f' "{info.name}"' if info.name else "")
    scope = _scope(info)
    message = (
        f'{subject} is forbidden: User "{user.name}" cannot {info.verb} resource "{info.target}" '
        f'in API group "{info.group}" {scope}'
    )
    details = {key: value for key, value in (("name", info.name), ("group", info.group)) if value}
    raise ApiError(403, message, details={**details, "kind": info.plural})


def _scope(info: RequestInfo) -> str:
    if info.namespace and info.resource is not NAMESPACES:
        return f'in the namespace "{info.namespace}"'
    return "at the cluster scope"
