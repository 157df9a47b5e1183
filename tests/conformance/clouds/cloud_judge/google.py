"""Judge an exchange with Google by its discovery documents."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qsl, unquote

from cloud_judge import google_errors
from cloud_judge.exchange import Exchange, read_object
from cloud_judge.google_schemas import Schemas, scalar_findings

DOCUMENTS = ("container.v1", "compute.v1", "iamcredentials.v1", "sts.v1")
UNDOCUMENTED = {"/token": "oauth2:token", "/tokeninfo": "oauth2:tokeninfo"}
"""Google's OAuth endpoints, which RFC 6749 describes and no discovery document."""
FIRST_ERROR = 400


@dataclass(frozen=True, kw_only=True)
class Method:
    """A method of an API, as its document describes it."""

    service: str
    name: str
    path: re.Pattern[str]
    document: Mapping[str, Any]
    schemas: Schemas
    shared: Mapping[str, Any]
    """The parameters that all methods of the API take."""


def judge(exchange: Exchange) -> tuple[str, list[str]]:
    """Name the method, and say what is wrong with request and answer."""
    if exchange.path in UNDOCUMENTED:
        return UNDOCUMENTED[exchange.path], []
    method = next((one for one in methods() if fits(one, exchange)), None)
    if method is None:
        return f"{exchange.method} {exchange.path}", ["no discovery document has such a method"]
    wrong = [f"request: {finding}" for finding in request_findings(method, exchange)]
    if exchange.status is not None and exchange.status >= FIRST_ERROR:
        wrong += google_errors.findings(exchange, compute=method.service == "compute")
    elif exchange.status is not None:
        wrong += [f"answer{finding}" for finding in answer_findings(method, exchange)]
    return f"{method.service}:{method.name}", wrong


def fits(method: Method, exchange: Exchange) -> bool:
    """Tell whether a request is for a method."""
    return method.document["httpMethod"] == exchange.method and bool(method.path.fullmatch(unquote(exchange.path)))


@cache
def methods() -> list[Method]:
    """List the methods of all documents."""
    folder = files("googleapiclient") / "discovery_cache" / "documents"
    documents = (json.loads((folder / f"{name}.json").read_text()) for name in DOCUMENTS)
    return [method for document in documents for method in methods_of(document, document, "")]


def methods_of(api: Mapping[str, Any], part: Mapping[str, Any], prefix: str) -> Iterator[Method]:
    """Walk through the resources of an API."""
    for name, method in (part.get("methods") or {}).items():
        path = "/" + api["servicePath"] + (method.get("flatPath") or method["path"])
        yield Method(
            service=api["name"],
            name=f"{prefix}{name}",
            path=re.compile(re.sub(r"\\\{\w+\\\}", "[^/:]+", re.escape(path))),
            document=method,
            schemas=Schemas(api["schemas"]),
            shared=api["parameters"],
        )
    for name, inner in (part.get("resources") or {}).items():
        plain = f"{prefix}{name}." if name not in {"projects", "locations", "clusters", "zones"} else ""
        yield from methods_of(api, inner, f"{name}." if name == "clusters" else plain)


def request_findings(method: Method, exchange: Exchange) -> Iterator[str]:
    """Hold query and body of a request against the method."""
    known = {
        name: rule for name, rule in method.document.get("parameters", {}).items() if rule["location"] == "query"
    } | dict(method.shared)
    given = dict(exchange.parameters)
    for name, text in given.items():
        if name not in known:
            yield f"the query's {name} is no parameter"
        else:
            yield from scalar_findings(text, known[name], f"the query's {name}")
    yield from (f"the query lacks {name}" for name, rule in known.items() if rule.get("required") and name not in given)
    body = read_form(exchange) if "form" in exchange.headers.get("content-type", "") else read_object(exchange.body)
    if body is None:
        yield "the body is no JSON object"
    elif "request" in method.document:
        yield from (f"body{finding}" for finding in method.schemas.asked(body, method.document["request"]))
    elif body:
        yield "the method takes no body"


def read_form(exchange: Exchange) -> dict[str, Any]:
    """Read the form that RFC 8693 has the token service take, with the names the document has."""
    pairs = parse_qsl(exchange.body.decode(), keep_blank_values=True)
    return {re.sub(r"_([a-z])", lambda found: found[1].upper(), name): text for name, text in pairs}


def answer_findings(method: Method, exchange: Exchange) -> Iterator[str]:
    """Hold an answer that is no error against the method's schema."""
    body = read_object(exchange.answer)
    if body is None:
        yield ": the body is no JSON object"
    elif not exchange.answer_headers.get("content-type", "").startswith("application/json"):
        yield f": Content-Type is {exchange.answer_headers.get('content-type')}"
    else:
        yield from method.schemas.given(body, method.document["response"])
