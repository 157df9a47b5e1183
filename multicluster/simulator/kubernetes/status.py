"""Refusals of an API server, as the `Status` bodies a real one writes (k8s.io/apimachinery/pkg/api/errors)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from multicluster.simulator.kubernetes.documents import Document

_REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    406: "NotAcceptable",
    409: "Conflict",
    410: "Expired",
    413: "RequestEntityTooLarge",
    415: "UnsupportedMediaType",
    422: "Invalid",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}


class ApiError(Exception):
    """An answer other than success. `body` is the Status document to send with `code`."""

    def __init__(self, code: int, message: str, *, reason: str | None = None, details: Document | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.reason = _REASONS.get(code, "Unknown") if reason is None else reason
        self.details = details

    @property
    def body(self) -> Document:
        """The Status document."""
        status: Document = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            status["reason"] = self.reason
        if self.details is not None:
            status["details"] = self.details
        return {**status, "code": self.code}


@dataclass(frozen=True, kw_only=True)
class Cause:
    """One field a document was refused for."""

    field: str
    reason: str
    message: str

    @property
    def text(self) -> str:
        """The cause as it stands in the message."""
        return f"{self.field}: {self.message}"


def required(field: str, why: str = "") -> Cause:
    """Return the cause of a field that is missing."""
    return Cause(field=field, reason="FieldValueRequired", message="Required value" + (f": {why}" if why else ""))


def invalid_value(field: str, value: object, why: str) -> Cause:
    """Return the cause of a field whose value is refused."""
    shown = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return Cause(field=field, reason="FieldValueInvalid", message=f"Invalid value: {shown}: {why}")


def too_long(field: str, longest: int) -> Cause:
    """Return the cause of a value of too many bytes."""
    return Cause(field=field, reason="FieldValueTooLong", message=f"Too long: may not be more than {longest} bytes")


def duplicate(field: str, value: str) -> Cause:
    """Return the cause of a value that may occur once only."""
    return Cause(field=field, reason="FieldValueDuplicate", message=f'Duplicate value: "{value}"')


def missing(field: str, value: str) -> Cause:
    """Return the cause of a reference to something the document does not hold."""
    return Cause(field=field, reason="FieldValueNotFound", message=f'Not found: "{value}"')


def unsupported(field: str, value: str, supported: Sequence[str]) -> Cause:
    """Return the cause of a value that is none of a list."""
    choices = ", ".join(f'"{choice}"' for choice in supported)
    message = f'Unsupported value: "{value}": supported values: {choices}'
    return Cause(field=field, reason="FieldValueNotSupported", message=message)


def forbidden_field(field: str, why: str) -> Cause:
    """Return the cause of a field that may not be set or changed."""
    return Cause(field=field, reason="FieldValueForbidden", message=f"Forbidden: {why}")


def invalid(kind: str, group: str, name: str, causes: Sequence[Cause]) -> ApiError:
    """Return the 422 for a document with faulty fields."""
    texts = list(dict.fromkeys(cause.text for cause in causes))
    listed = texts[0] if len(texts) == 1 else "[" + ", ".join(texts) + "]"
    qualified = f"{kind}.{group}" if group else kind
    details: Document = _details(kind, group, name)
    details["causes"] = [{"reason": c.reason, "message": c.message, "field": c.field} for c in causes]
    return ApiError(422, f'{qualified} "{name}" is invalid: {listed}', details=details)


def _details(plural: str, group: str, name: str) -> Document:
    details = {"name": name, "group": group, "kind": plural}
    return {key: value for key, value in details.items() if value}


def qualified(plural: str, group: str) -> str:
    """Return a resource as messages name it: `pods`, `jobs.batch`."""
    return f"{plural}.{group}" if group else plural


def not_found(plural: str, group: str, name: str) -> ApiError:
    """Return the 404 of an object."""
    message = f'{qualified(plural, group)} "{name}" not found'
    return ApiError(404, message, details=_details(plural, group, name))


def already_exists(plural: str, group: str, name: str) -> ApiError:
    """Return the 409 of a name taken."""
    message = f'{qualified(plural, group)} "{name}" already exists'
    return ApiError(409, message, reason="AlreadyExists", details=_details(plural, group, name))


def conflict(plural: str, group: str, name: str, why: str) -> ApiError:
    """Return the 409 of a precondition that does not hold."""
    message = f'Operation cannot be fulfilled on {qualified(plural, group)} "{name}": {why}'
    return ApiError(409, message, details=_details(plural, group, name))


def forbidden(plural: str, group: str, name: str, why: str) -> ApiError:
    """Return the 403 of an object or a whole resource (no name)."""
    subject = f'{qualified(plural, group)} "{name}"' if name else qualified(plural, group)
    return ApiError(403, f"{subject} is forbidden: {why}", details=_details(plural, group, name))


def unknown_path() -> ApiError:
    """Return the 404 of an address nobody serves."""
    return ApiError(404, "the server could not find the requested resource", details={})


def method_not_allowed() -> ApiError:
    """Return the 405."""
    return ApiError(405, "the server does not allow this method on the requested resource", details={})


def expired(resource_version: int, oldest: int) -> ApiError:
    """Return the 410 of a watch that asks for changes no longer kept."""
    return ApiError(410, f"too old resource version: {resource_version} ({oldest})")
