"""Hold refusals of AWS against the errors of the operation, and against those that all operations share."""

from __future__ import annotations

import re

from botocore.model import OperationModel
from botocore.parsers import ResponseParserError as ParserError
from botocore.parsers import create_parser

from cloud_judge.aws_answer import json_findings
from cloud_judge.exchange import Exchange, read_object
from cloud_judge.known import ERRORS_BESIDE_THE_MODEL

COMMON: dict[str, frozenset[int]] = {
    # "Common error types" of the API references; REST services answer 403 where those of the JSON protocol say 400
    "AccessDeniedException": frozenset({403}),
    "ExpiredTokenException": frozenset({403}),
    "IncompleteSignatureException": frozenset({400, 403}),
    "InvalidSignatureException": frozenset({403}),
    "MissingAuthenticationTokenException": frozenset({403}),
    "UnrecognizedClientException": frozenset({403}),
    "ThrottlingException": frozenset({429}),
    "SerializationException": frozenset({400}),
    "ValidationException": frozenset({400}),
    "UnknownOperationException": frozenset({404}),
}
QUERY: dict[str, frozenset[int]] = {
    # the same page for the query protocol
    "AccessDenied": frozenset({403}),
    "ExpiredToken": frozenset({400, 403}),
    "IncompleteSignature": frozenset({400, 403}),
    "InternalFailure": frozenset({500}),
    "InvalidAction": frozenset({400}),
    "InvalidClientTokenId": frozenset({403}),
    "MissingAuthenticationToken": frozenset({403}),
    "ServiceUnavailable": frozenset({503}),
    "SignatureDoesNotMatch": frozenset({403}),
    "Throttling": frozenset({400}),
    "ValidationError": frozenset({400}),
}
EC2: dict[str, frozenset[int]] = {
    # "Error codes for the Amazon EC2 API": the model names no errors at all
    "AuthFailure": frozenset({401}),
    "InternalError": frozenset({500}),
    "InvalidAction": frozenset({400}),
    "InvalidInstanceID.Malformed": frozenset({400}),
    "InvalidInstanceID.NotFound": frozenset({400}),
    "InvalidParameterValue": frozenset({400}),
    "MissingParameter": frozenset({400}),
    "RequestExpired": frozenset({400}),
    "RequestLimitExceeded": frozenset({503}),
    "SignatureDoesNotMatch": frozenset({403}),
    "Unavailable": frozenset({503}),
    "UnauthorizedOperation": frozenset({403}),
}
SHARED = {"rest-json": COMMON, "query": QUERY, "ec2": EC2}


def findings(operation: OperationModel, exchange: Exchange) -> list[str]:
    """Say what is wrong with a refusal: an unknown code, a status that is not the code's, a body out of shape."""
    protocol = operation.service_model.metadata["protocol"]
    try:
        error = told(operation, exchange)
    except (ValueError, ParserError) as broken:
        return [f"error: botocore cannot parse it: {broken}"]
    code, message = str(error.get("Code", "")), str(error.get("Message", ""))
    wrong = [] if message else [f"error {code}: no message is in the answer"]
    known = statuses(operation, code)
    if not known:
        return [*wrong, f"error {code}: {operation.name} has no such error"]
    if exchange.status not in known:
        wrong.append(f"error {code}: HTTP {exchange.status}, not {' or '.join(map(str, sorted(known)))}")
    if protocol == "rest-json":
        shape = shape_of(operation, code)
        wrong += json_findings(shape, exchange.answer) if shape else []
    elif not re.search(rb"RequestI[dD]\W+\w+", exchange.answer):
        wrong.append(f"error {code}: no request id is in the answer")
    return wrong


def told(operation: OperationModel, exchange: Exchange) -> dict[str, str]:
    """Read code and message of a refusal as botocore does, or from the JSON that a token verifier asked for."""
    if exchange.asked_for_json:
        return dict((read_object(exchange.answer) or {}).get("Error", {}))
    raw = {"headers": dict(exchange.answer_headers), "body": exchange.answer, "status_code": exchange.status}
    parser = create_parser(operation.service_model.metadata["protocol"])
    return dict(parser.parse(raw, operation.output_shape).get("Error", {}))


def statuses(operation: OperationModel, code: str) -> frozenset[int]:
    """Return the HTTP statuses that a code may have in an operation; none when the operation has no such error."""
    own = {error_code(shape): int(shape.metadata["error"]["httpStatusCode"]) for shape in operation.error_shapes}
    if code in own:
        return frozenset({own[code]})
    if (operation.name, code) in ERRORS_BESIDE_THE_MODEL:
        shape = shape_of(operation, code)
        return frozenset({int(shape.metadata["error"]["httpStatusCode"])}) if shape else frozenset()
    return SHARED[operation.service_model.metadata["protocol"]].get(code, frozenset())


def error_code(shape: object) -> str:
    """Return the code that an error shape has on the wire."""
    return str(shape.metadata["error"].get("code") or shape.name)  # type: ignore[attr-defined]


def shape_of(operation: OperationModel, code: str) -> object:
    """Find the shape of an error among all of the service; None when it has none of that name."""
    return next((shape for shape in operation.service_model.error_shapes if error_code(shape) == code), None)
