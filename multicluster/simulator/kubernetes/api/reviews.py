"""Questions a caller asks about itself: who am I, may I, what may I."""

from __future__ import annotations

from multicluster.simulator.kubernetes.api.authorization import Authorizer
from multicluster.simulator.kubernetes.api.request_info import RequestInfo
from multicluster.simulator.kubernetes.documents import Document, at
from multicluster.simulator.kubernetes.status import Cause, invalid
from multicluster.simulator.kubernetes.users import User

_ONE_OF = "exactly one of nonResourceAttributes or resourceAttributes must be specified"


def reviewed(plural: str, asked: Document, user: User, authorizer: Authorizer, now: str) -> Document:
    """Answer the question of one of the three self reviews. Raises `ApiError` 422."""
    spec = asked.get("spec") or {}
    if plural == "selfsubjectreviews":
        return {
            "kind": "SelfSubjectReview",
            "apiVersion": "authentication.k8s.io/v1",
            "metadata": {"creationTimestamp": now},
            "status": {"userInfo": {"username": user.name, "groups": [*user.groups, "system:authenticated"]}},
        }
    if plural == "selfsubjectrulesreviews":
        kind, status = "SelfSubjectRulesReview", _rules(authorizer.rules(user, str(spec.get("namespace", ""))))
    else:
        kind, status = "SelfSubjectAccessReview", _access(spec, user, authorizer)
    return {"kind": kind, "apiVersion": "authorization.k8s.io/v1", "metadata": {}, "spec": spec, "status": status}


def _access(spec: Document, user: User, authorizer: Authorizer) -> Document:
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if (resource is None) == (path is None):
        cause = Cause(
            field="spec.resourceAttributes" if path is None else "spec.nonResourceAttributes",
            reason="FieldValueInvalid",
            message=f"Invalid value: null: {_ONE_OF}"
            if path is None
            else f'Invalid value: {{"Path":"{path.get("path", "")}","Verb":"{path.get("verb", "")}"}}: '
            "cannot be specified in combination with resourceAttributes",
        )
        raise invalid("", "authorization.k8s.io", "", [cause])
    may = authorizer.allows(_request(spec), user)
    return {"allowed": may, **({"reason": "allowed by the rules of this cluster"} if may else {})}


def _rules(rules: list[Document]) -> Document:
    resources = [rule for rule in rules if "resources" in rule]
    paths = [rule for rule in rules if "nonResourceURLs" in rule]
    return {"resourceRules": resources, "nonResourceRules": paths, "incomplete": False}


def _request(spec: Document) -> RequestInfo:
    wanted = spec.get("resourceAttributes")
    if wanted is None:
        return RequestInfo(
            verb=str(at(spec, "nonResourceAttributes", "verb", default="")),
            path=str(at(spec, "nonResourceAttributes", "path", default="")),
        )
    plural, _, subresource = str(wanted.get("resource", "")).partition("/")
    return RequestInfo(
        verb=str(wanted.get("verb", "")),
        path="",
        is_resource=True,
        group=str(wanted.get("group", "")),
        plural=plural,
        namespace=wanted.get("namespace"),
        name=str(wanted.get("name", "")),
        subresource=str(wanted.get("subresource", subresource)),
    )
