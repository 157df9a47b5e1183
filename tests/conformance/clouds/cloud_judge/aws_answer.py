"""Hold answers of AWS against the output shapes: every member known, every value of its type."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from botocore.model import OperationModel, Shape, StructureShape
from botocore.parsers import ResponseParserError as ParserError
from botocore.parsers import create_parser
from botocore.validate import ParamValidator

from cloud_judge import aws_values
from cloud_judge.aws_xml import Document
from cloud_judge.exchange import Exchange, read_object

JSON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,), "character": (str,), "blob": (str,), "boolean": (bool,), "integer": (int,), "long": (int,),
    "float": (int, float), "double": (int, float), "structure": (dict,), "list": (list,), "map": (dict,),
}  # fmt: skip


def findings(operation: OperationModel, exchange: Exchange) -> list[str]:
    """Say what is wrong with an answer that is no error."""
    expected = operation.http.get("responseCode", 200)
    wrong = [] if exchange.status == expected else [f"answer: HTTP {exchange.status}, not {expected}"]
    protocol = operation.service_model.metadata["protocol"]
    if protocol == "rest-json":
        wrong += json_findings(operation.output_shape, exchange.answer)
        request_id = "x-amzn-requestid"
        wrong += [] if request_id in exchange.answer_headers else [f"answer: the header {request_id} is missing"]
    elif exchange.asked_for_json:
        return wrong + envelope_findings(operation, exchange.answer)
    else:
        wrong += Document(operation, exchange.answer).findings()
    return wrong or parsed_findings(operation, exchange)


def envelope_findings(operation: OperationModel, text: bytes) -> list[str]:
    """Hold an answer of the query protocol in JSON against its shape."""
    body = read_object(text) or {}
    response = body.get(f"{operation.name}Response")
    if not isinstance(response, dict) or not (response.get("ResponseMetadata") or {}).get("RequestId"):
        return [f"answer: no {operation.name}Response with a RequestId"]
    result = response.get(f"{operation.name}Result", {})
    return [f"answer{finding}" for finding in json_values(result, operation.output_shape, "")]


def json_findings(shape: StructureShape | None, text: bytes) -> list[str]:
    """Hold a JSON body against a shape."""
    body = read_object(text)
    if body is None:
        return ["answer: the body is no JSON object"]
    if shape is None:
        return [f"answer: {name} is unknown" for name in body]
    return [f"answer{finding}" for finding in json_values(body, shape, "")]


def json_values(value: Any, shape: Shape, where: str) -> Iterator[str]:
    """Say where a JSON value departs from its shape."""
    types = JSON_TYPES.get(shape.type_name, (object,))
    if shape.type_name == "timestamp":
        yield from json_timestamp(value, shape, where)
        return
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        yield f"{where}: {value!r} is no {shape.type_name}"
        return
    if shape.type_name == "structure":
        yield from json_members(value, shape, where)
    elif shape.type_name == "list":
        for number, inner in enumerate(value):
            yield from json_values(inner, shape.member, f"{where}[{number}]")
    elif shape.type_name == "map":
        for key, inner in value.items():
            yield from json_values(inner, shape.value, f"{where}.{key}")
    elif not shape.metadata.get("document"):
        yield from aws_values.limits(value, shape, where)


def json_members(value: dict[str, Any], shape: StructureShape, where: str) -> Iterator[str]:
    """Hold a structure's members against its shape; null stands for a member that is not there."""
    names = {inner.serialization.get("name", name): name for name, inner in shape.members.items()}
    there = {names[name]: inner for name, inner in value.items() if name in names and inner is not None}
    yield from (f"{where}.{name}: {shape.name} has no such member" for name in value if name not in names)
    yield from (f"{where}.{name}: is required" for name in shape.required_members if name not in there)
    for name, inner in there.items():
        yield from json_values(inner, shape.members[name], f"{where}.{name}")


def json_timestamp(value: Any, shape: Shape, where: str) -> Iterator[str]:
    """Hold a timestamp against its format: seconds since 1970 unless the model says otherwise."""
    seconds = shape.serialization.get("timestampFormat", "unixTimestamp") == "unixTimestamp"
    if seconds and (isinstance(value, bool) or not isinstance(value, int | float)):
        yield f"{where}: {value!r} is no timestamp in seconds"
    elif not seconds and not is_iso8601(value):
        yield f"{where}: {value!r} is no ISO 8601 timestamp"


def is_iso8601(value: Any) -> bool:
    """Tell whether a value is a time of UTC as AWS writes it."""
    try:
        return isinstance(value, str) and value.endswith("Z") and bool(dt.datetime.fromisoformat(value))
    except ValueError:
        return False


def parsed_findings(operation: OperationModel, exchange: Exchange) -> list[str]:
    """Let botocore itself parse an answer, and its validator judge what came out."""
    shape = operation.output_shape
    parser = create_parser(operation.service_model.metadata["protocol"])
    raw = {"headers": dict(exchange.answer_headers), "body": exchange.answer, "status_code": exchange.status}
    try:
        parsed = parser.parse(raw, shape)
    except (ValueError, ParserError) as error:
        return [f"answer: botocore cannot parse it: {error}"]
    parsed.pop("ResponseMetadata", None)
    report = ParamValidator().validate(parsed, shape) if shape else None
    return [f"answer: {line}" for line in report.generate_report().splitlines()] if report else []
