"""Read requests of the REST-JSON protocol by their model."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from botocore.model import ListShape, OperationModel, Shape, StructureShape

from cloud_judge import aws
from cloud_judge.exchange import Exchange, read_object

NUMBERS = {"integer": int, "long": int, "float": float, "double": float, "timestamp": float}


def read_request(operation: OperationModel, exchange: Exchange) -> tuple[dict[str, Any], list[str]]:
    """Read a request's parameters, and say what is in it that the model does not know."""
    shape = operation.input_shape or StructureShape("None", {"type": "structure", "members": {}})
    by_place = {place: members_at(shape, place) for place in ("uri", "querystring", "header", "headers", None)}
    params: dict[str, Any] = {}
    for name, text in aws.path_values(operation, exchange).items():
        member = by_place["uri"][name]
        params[member] = scalar(text, shape.members[member])
    wrong = []
    for name, text in exchange.parameters:
        member = by_place["querystring"].get(name, "")
        if not member:
            wrong.append(f"request: the query's {name} is no parameter")
        elif isinstance(shape.members[member], ListShape):
            params.setdefault(member, []).append(scalar(text, shape.members[member].member))
        else:
            params[member] = scalar(text, shape.members[member])
    for name, member in by_place["header"].items():
        if name.lower() in exchange.headers:
            params[member] = scalar(exchange.headers[name.lower()], shape.members[member])
    body = read_object(exchange.body)
    if body is None:
        return params, [*wrong, "request: the body is no JSON object"]
    for name, value in body.items():
        member = by_place[None].get(name, "")
        if member:
            params[member] = renamed(value, shape.members[member])
        else:
            wrong.append(f"request: the body's {name} is no parameter")
    return params, wrong


def members_at(shape: StructureShape, place: str | None) -> dict[str, str]:
    """Map names on the wire to members, of those that stand in the path, the query, a header or (None) the body."""
    return {
        member.serialization.get("name", name): name
        for name, member in shape.members.items()
        if member.serialization.get("location") == place
    }


def scalar(text: str, shape: Shape) -> Any:
    """Read a scalar from text; what cannot be read stays text, so that the validator finds it."""
    if shape.type_name == "boolean":
        return {"true": True, "false": False}.get(text, text)
    try:
        return NUMBERS[shape.type_name](text) if shape.type_name in NUMBERS else text
    except ValueError:
        return text


def renamed(value: Any, shape: Shape) -> Any:
    """Give the members of a JSON value their names in the model; unknown ones keep theirs, to be found."""
    if shape.type_name == "structure" and isinstance(value, dict):
        names = {inner.serialization.get("name", name): name for name, inner in shape.members.items()}
        given = {names.get(name, name): inner for name, inner in value.items()}
        return {
            name: renamed(inner, shape.members[name]) if name in shape.members else inner
            for name, inner in given.items()
        }
    if shape.type_name == "list" and isinstance(value, list):
        return [renamed(inner, shape.member) for inner in value]
    if shape.type_name == "map" and isinstance(value, dict):
        return {key: renamed(inner, shape.value) for key, inner in value.items()}
    if shape.type_name == "blob" and isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True)
        except binascii.Error:
            return value
    return value
