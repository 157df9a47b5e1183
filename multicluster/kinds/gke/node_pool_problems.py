"""Read why a pool gets no nodes: from its conditions, and earlier from its instance groups' errors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from multicluster.kinds.gke.node_pool_remedies import remedy
from multicluster.node_pools.pool import Problem

CAPACITY = ("STOCKOUT", "RESOURCE_POOL_EXHAUSTED", "OUT_OF_RESOURCES", "IP_SPACE_EXHAUSTED")
FATAL = (
    "QUOTA",
    "PERMISSION",
    "SERVICE_ACCOUNT",
    "KMS",
    "INVALID",
    "CONDITION_NOT_MET",
    "NOT_FOUND",
    "CreationFailure",
)
"""Parts of codes; Google's lists grow faster than anybody can copy them."""
GIVEN_UP = frozenset({"ERROR", "RUNNING_WITH_ERROR"})
RECENT = timedelta(minutes=15)
"""Instance groups remember errors for long; older ones say nothing about now."""


def condition_problems(pool: Mapping[str, Any]) -> tuple[Problem, ...]:
    """Read a pool's conditions, or its status message where it has none.

    A lack of capacity in a condition means that GKE has ended the operation: waiting cannot help.
    """
    status = str(pool.get("status", ""))
    conditions = pool.get("conditions") or ()
    if not conditions and pool.get("statusMessage"):
        conditions = ({"code": status, "message": pool["statusMessage"]},)
    return tuple(_condition(one, given_up=status in GIVEN_UP) for one in conditions)


def launch_problems(errors: Iterable[Mapping[str, Any]], *, now: datetime) -> tuple[Problem, ...]:
    """Read an instance group's listErrors: failed launches of the last minutes, by code, in the newest words."""
    found: dict[str, Problem] = {}
    for item in sorted(errors, key=lambda one: str(one.get("timestamp", ""))):
        stamp = item.get("timestamp")
        if stamp and now - datetime.fromisoformat(str(stamp)) > RECENT:
            continue
        error = item.get("error") or {}
        code, message = str(error.get("code", "UNKNOWN")), str(error.get("message", ""))
        times = found[code].times + 1 if code in found else 1
        found[code] = _problem(code, message, times=times)
    return tuple(found.values())


def _condition(condition: Mapping[str, Any], *, given_up: bool) -> Problem:
    code = str(condition.get("code") or condition.get("canonicalCode") or "UNKNOWN")
    judged = _problem(code, str(condition.get("message", "")))
    fatal = judged.fatal or (judged.capacity and given_up)
    step = remedy(code) if given_up else ""
    message = f"{judged.message.rstrip('.')}. Next: {step}" if step else judged.message
    return Problem(code=code, message=message, capacity=judged.capacity, fatal=fatal)


def _problem(code: str, message: str, *, times: int = 1) -> Problem:
    capacity = any(part in code for part in CAPACITY)
    fatal = not capacity and any(part in code for part in FATAL)
    return Problem(code=code, message=message, capacity=capacity, fatal=fatal, times=times)
