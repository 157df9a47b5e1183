"""Questions a caller asks about itself: who am I, may I."""

from __future__ import annotations

from multicluster.simulator.kubernetes.api.authorization import RbacRules, allowed
from multicluster.simulator.kubernetes.api.request_info import RequestInfo
from multicluster.simulator.kubernetes.documents import Document, at, stamp
from multicluster.simulator.kubernetes.resources import resource_at
from multicluster.simulator.kubernetes.store import Store
from multicluster.simulator.kubernetes.users import User


def self_subject_review(user: User, store: Store) -> Document:
    """Return who the caller is."""
    return {
        "kind": "SelfSubjectReview",
        "apiVersion": "authentication.k8s.io/v1",
        "metadata": {"creationTimestamp": stamp(store.clock.now())},
        "status": {"userInfo": {"username": user.name, "groups": [*user.groups, "system:authenticated"]}},
    }


def self_subject_access_review(asked: Document, user: User, rules: RbacRules | None) -> Document:
    """Return whether the caller may do what it asks about."""
    may = allowed(_request(asked.get("spec") or {}), user, rules)
    status: Document = {"allowed": may}
    if may:
        status["reason"] = "allowed by the simulator's rules" if rules is not None else "everything is allowed"
    return {
        "kind": "SelfSubjectAccessReview",
        "apiVersion": "authorization.k8s.io/v1",
        "metadata": {},
        "spec": asked.get("spec") or {},
        "status": status,
    }


def _request(spec: Document) -> RequestInfo:
    wanted = spec.get("resourceAttributes")
    if wanted is None:
        return RequestInfo(
            verb=str(at(spec, "nonResourceAttributes", "verb", default="get")),
            path=str(at(spec, "nonResourceAttributes", "path", default="/")),
        )
    plural, _, subresource = str(wanted.get("resource", "*")).partition("/")
    group = str(wanted.get("group", ""))
    return RequestInfo(
        verb=str(wanted.get("verb", "*")),
        path="",
        group=group,
        plural=plural,
        resource=resource_at(group, "v1", plural),
        namespace=wanted.get("namespace"),
        name=str(wanted.get("name", "")),
        subresource=str(wanted.get("subresource", subresource)),
    )
