"""Say no as AWS says it, in the three dialects its services speak."""

from __future__ import annotations

import json
import secrets
from http import HTTPStatus
from xml.sax.saxutils import escape

from aiohttp import web

# What the three kinds of services call the same refusal: (rest-json, query, ec2), from public logs of each.
DIALECTS: dict[str, tuple[str, str, str]] = {
    "InvalidClientTokenId": ("UnrecognizedClientException", "InvalidClientTokenId", "AuthFailure"),
    "SignatureDoesNotMatch": ("InvalidSignatureException", "SignatureDoesNotMatch", "SignatureDoesNotMatch"),
    "ExpiredToken": ("ExpiredTokenException", "ExpiredToken", "RequestExpired"),
    "MissingAuthenticationToken": ("MissingAuthenticationTokenException", "MissingAuthenticationToken", "AuthFailure"),
    "AccessDenied": ("AccessDeniedException", "AccessDenied", "UnauthorizedOperation"),
    "Throttling": ("ThrottlingException", "Throttling", "RequestLimitExceeded"),
    "InternalFailure": ("ServerException", "InternalFailure", "InternalError"),
    "ServiceUnavailable": ("ServiceUnavailableException", "ServiceUnavailable", "Unavailable"),
    "AlreadyExists": ("ResourceInUseException", "AlreadyExists", "AlreadyExists"),
}
EC2_STATUSES = {"AuthFailure": 401, "RequestExpired": 400, "RequestLimitExceeded": 503}


class AwsError(Exception):
    """Carry one refusal: its code, its sentence, its HTTP status and further members of the answer's body."""

    def __init__(self, code: str, message: str, status: int = 400, **members: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status, self.members = code, message, status, members


def access_denied(who: str, action: str, resource: str) -> AwsError:
    """Refuse an action as IAM does."""
    return AwsError("AccessDenied", f"User: {who} is not authorized to perform: {action} on resource: {resource}", 403)


def query_status(error: AwsError) -> int:
    """Return the HTTP status of a refusal in the query protocol, which knows no 429."""
    return HTTPStatus.BAD_REQUEST if error.code == "Throttling" else error.status


def json_text(error: AwsError) -> str:
    """Write a refusal of the query protocol as STS does when asked for JSON; that is what token verifiers read."""
    side = "Receiver" if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR else "Sender"
    body = {"Error": {"Code": error.code, "Message": error.message, "Type": side}, "RequestId": secrets.token_hex(16)}
    return json.dumps(body)


def render(error: AwsError, service: str) -> web.Response:
    """Write the refusal in the dialect of the service."""
    request_id = secrets.token_hex(16)
    rest, query, ec2 = DIALECTS.get(error.code, (error.code, error.code, error.code))
    if service in {"eks", "scheduler"}:
        status = 429 if rest == "ThrottlingException" else error.status
        rest = "InternalServerException" if (service, rest) == ("scheduler", "ServerException") else rest
        name = "Message" if service == "scheduler" else "message"
        body = {name: error.message, **error.members}
        headers = {"x-amzn-ErrorType": rest, "x-amzn-RequestId": request_id}
        return web.Response(text=json.dumps(body), status=status, headers=headers, content_type="application/json")
    message = escape(error.message)
    if service == "ec2":
        code, status = ec2, EC2_STATUSES.get(ec2, error.status)
        text = (
            f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
            f"<RequestID>{request_id}</RequestID></Response>"
        )
    else:
        status = query_status(error)
        side = "Receiver" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "Sender"
        text = (
            f"<ErrorResponse><Error><Type>{side}</Type><Code>{query}</Code><Message>{message}</Message></Error>"
            f"<RequestId>{request_id}</RequestId></ErrorResponse>"
        )
    return web.Response(text=text, status=status, headers={"x-amzn-RequestId": request_id}, content_type="text/xml")
