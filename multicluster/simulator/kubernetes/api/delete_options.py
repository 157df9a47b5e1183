"""What a client says with a delete, in the body or in the address."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from multicluster.simulator.kubernetes.api.options import dry_run_causes, integer, policy_causes
from multicluster.simulator.kubernetes.deletion import DeleteOptions
from multicluster.simulator.kubernetes.documents import at
from multicluster.simulator.kubernetes.status import ApiError, invalid, invalid_value

_SCHEME = 'in scheme "pkg/runtime/scheme.go:111"'
_BOTH = "orphanDependents and deletionPropagation cannot be both set"


def delete_options(request: web.BaseRequest, sent: Any) -> DeleteOptions:
    """Read delete options from a body or, where there is none, from the query. Raises `ApiError` 400 and 422."""
    options = sent if isinstance(sent, dict) else {}
    if options.get("kind", "DeleteOptions") != "DeleteOptions":
        message = f'no kind "{options["kind"]}" is registered for version "{options.get("apiVersion", "")}" {_SCHEME}'
        raise ApiError(400, message)
    grace = options.get("gracePeriodSeconds")
    if grace is None:
        grace = integer(request.query, "gracePeriodSeconds")
    if not isinstance(grace, int | None):
        field = "DeleteOptions.gracePeriodSeconds of type int64"
        raise ApiError(400, f"json: cannot unmarshal string into Go struct field {field}")
    policy = str(options.get("propagationPolicy") or request.query.get("propagationPolicy") or "")
    orphans = options.get("orphanDependents")
    dry = list(options.get("dryRun") or ()) or request.query.getall("dryRun", [])
    causes = policy_causes(policy) + dry_run_causes(dry)
    if policy and orphans is not None:
        causes.append(invalid_value("propagationPolicy", policy, _BOTH))
    if causes:
        raise invalid("DeleteOptions", "meta.k8s.io", "", causes)
    return DeleteOptions(
        grace=grace,
        uid=str(at(options, "preconditions", "uid", default="")),
        resource_version=str(at(options, "preconditions", "resourceVersion", default="")),
        propagation="Orphan" if orphans else policy,
        dry=bool(dry),
    )
