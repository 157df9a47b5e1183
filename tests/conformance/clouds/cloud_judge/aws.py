"""Judge an exchange with AWS by botocore's service models."""

from __future__ import annotations

import re
from functools import cache
from urllib.parse import unquote

import botocore.session
from botocore.model import OperationModel, ServiceModel
from botocore.validate import ParamValidator

from cloud_judge import aws_answer, aws_errors, aws_query, aws_rest, aws_values
from cloud_judge.exchange import Exchange

REST = "rest-json"
FIRST_ERROR = 400


def judge(exchange: Exchange) -> tuple[str, list[str]]:
    """Name the operation, and say what is wrong with request and answer."""
    service = exchange.aws_service
    model = service_model(service)
    rest = model.metadata["protocol"] == REST
    name = rest_operation(model, exchange) if rest else dict(exchange.form).get("Action", "")
    if name not in model.operation_names:
        return f"{service}:{name}", [f"the service has no operation for {exchange.method} {exchange.path}"]
    operation = model.operation_model(name)
    params, findings = (aws_rest if rest else aws_query).read_request(operation, exchange)
    findings += request_findings(operation, params)
    if exchange.status is not None and exchange.status >= FIRST_ERROR:
        findings += aws_errors.findings(operation, exchange)
    elif exchange.status is not None:
        findings += aws_answer.findings(operation, exchange)
    return f"{service}:{name}", findings


@cache
def service_model(service: str) -> ServiceModel:
    """Read a service's model, once."""
    return botocore.session.get_session().get_service_model(service)


def rest_operation(model: ServiceModel, exchange: Exchange) -> str:
    """Find the operation of a method and a path; empty when there is none."""
    for method, pattern, name in routes(model.service_name):
        if method == exchange.method and pattern.fullmatch(exchange.path):
            return name
    return ""


@cache
def routes(service: str) -> list[tuple[str, re.Pattern[str], str]]:
    """List method, path and name of all operations of a REST service; those with fewer blanks first."""
    found = []
    model = service_model(service)
    for name in model.operation_names:
        http = model.operation_model(name).http
        path = http["requestUri"].partition("?")[0]
        pattern = re.sub(r"\\\{\w+\\\}", "([^/]+)", re.sub(r"\\\{\w+\\\+\\\}", "(.+)", re.escape(path)))
        found.append((path.count("{"), http["method"], re.compile(pattern), name))
    return [route[1:] for route in sorted(found, key=lambda route: route[0])]


def path_values(operation: OperationModel, exchange: Exchange) -> dict[str, str]:
    """Read the blanks of an operation's path."""
    path = operation.http["requestUri"].partition("?")[0]
    names = re.findall(r"\{(\w+)\+?\}", path)
    pattern = re.sub(r"\\\{\w+\\?\+?\\\}", "([^/]+)", re.escape(path))
    found = re.fullmatch(pattern, exchange.path)
    return {name: unquote(text) for name, text in zip(names, found.groups() if found else (), strict=False)}


def request_findings(operation: OperationModel, params: dict[str, object]) -> list[str]:
    """Hold a request against the input shape: by botocore's own validator, and where that is lenient, by ours."""
    shape = operation.input_shape
    if shape is None:
        return [f"request: {name} is no parameter" for name in params]
    report = ParamValidator().validate(params, shape)
    lenient = [f"request{finding}" for finding in aws_values.findings(params, shape)]
    return [*(f"request: {line}" for line in report.generate_report().splitlines()), *lenient]
