"""Hold refusals of Google against the two forms its APIs have (AIP-193, and Compute's own)."""

from __future__ import annotations

from cloud_judge.exchange import Exchange, read_object

STATUSES: dict[int, frozenset[str]] = {
    # google/rpc/code.proto: each canonical code and the HTTP status it is mapped to
    400: frozenset({"INVALID_ARGUMENT", "FAILED_PRECONDITION", "OUT_OF_RANGE"}),
    401: frozenset({"UNAUTHENTICATED"}),
    403: frozenset({"PERMISSION_DENIED"}),
    404: frozenset({"NOT_FOUND"}),
    409: frozenset({"ALREADY_EXISTS", "ABORTED"}),
    429: frozenset({"RESOURCE_EXHAUSTED"}),
    499: frozenset({"CANCELLED"}),
    500: frozenset({"INTERNAL", "UNKNOWN", "DATA_LOSS"}),
    501: frozenset({"UNIMPLEMENTED"}),
    503: frozenset({"UNAVAILABLE"}),
    504: frozenset({"DEADLINE_EXCEEDED"}),
}
MEMBERS = frozenset({"code", "message", "status", "details", "errors"})
ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"


def findings(exchange: Exchange, *, compute: bool) -> list[str]:
    """Say what is wrong with a refusal."""
    body = read_object(exchange.answer)
    error = body.get("error") if body else None
    if not isinstance(error, dict) or set(body or {}) != {"error"}:
        return ["error: the body is no object of one member, error"]
    wrong = [f"error: {name} is unknown" for name in error if name not in MEMBERS]
    if error.get("code") != exchange.status:
        wrong.append(f"error: code is {error.get('code')!r}, HTTP says {exchange.status}")
    if not isinstance(error.get("message"), str) or not error["message"]:
        wrong.append("error: no message")
    if compute and not compute_reasons(error):
        wrong.append("error: Compute names reason and domain of each of its errors")
    if not compute and error.get("status") not in STATUSES.get(exchange.status or 0, frozenset()):
        wrong.append(f"error: status {error.get('status')!r} does not belong to HTTP {exchange.status}")
    for detail in error.get("details") or []:
        needed = {"@type", "reason", "domain"} if detail.get("@type") == ERROR_INFO else {"@type"}
        wrong += [f"error: a detail lacks {name}" for name in sorted(needed - set(detail))]
    return wrong


def compute_reasons(error: dict[str, object]) -> bool:
    """Tell whether all of Compute's errors are told with message, domain and reason."""
    errors = error.get("errors")
    return (
        isinstance(errors, list) and bool(errors) and all({"message", "domain", "reason"} <= set(one) for one in errors)
    )
