"""Say no as Google's REST APIs say it."""

from __future__ import annotations

from typing import Any

from aiohttp import web

STATUS = {
    400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 409: "ALREADY_EXISTS",
    429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}  # fmt: skip
COMPUTE_REASONS = {
    400: "invalid", 401: "authError", 403: "forbidden", 404: "notFound", 429: "rateLimitExceeded", 500: "internalError",
    503: "backendError", 504: "backendError",
}  # fmt: skip


class GoogleError(Exception):
    """Carry one refusal: HTTP code, sentence, canonical status and machine-readable reason."""

    def __init__(
        self, code: int, message: str, *, status: str = "", reason: str = "", domain: str = "googleapis.com"
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status or STATUS.get(code, "UNKNOWN")
        self.reason, self.domain = reason, domain


def render(error: GoogleError, *, compute: bool) -> web.Response:
    """Write the refusal as google.rpc.Status in JSON; Compute names its reason in a list of its own."""
    body: dict[str, Any] = {"code": error.code, "message": error.message, "status": error.status}
    if error.reason:
        kind = "type.googleapis.com/google.rpc.ErrorInfo"
        body["details"] = [{"@type": kind, "reason": error.reason, "domain": error.domain}]
    if compute:
        reason = COMPUTE_REASONS.get(error.code, "unknown")
        body["errors"] = [{"message": error.message, "domain": "global", "reason": reason}]
    return web.json_response({"error": body}, status=error.code)


def failed_precondition(message: str, reason: str = "") -> GoogleError:
    """Refuse what cannot be done now: HTTP 400, failedPrecondition."""
    return GoogleError(400, message, status="FAILED_PRECONDITION", reason=reason, domain="container.googleapis.com")
