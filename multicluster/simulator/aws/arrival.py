"""Read a request off the wire: whom it is for and what it asks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from multicluster.simulator.aws import sigv4
from multicluster.simulator.aws.eks import operation_of
from multicluster.simulator.aws.errors import AwsError
from multicluster.simulator.aws.schedules import operation_of as schedule_operation_of

if TYPE_CHECKING:
    from aiohttp import web

REST = frozenset({"eks", "scheduler"})
QUERY = frozenset({"sts", "autoscaling", "ec2"})


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A request, read but not yet trusted. ``form`` holds the parameters of the query protocol, from URL and body."""

    request: web.BaseRequest
    service: str
    form: dict[str, str]
    body: bytes

    @property
    def path(self) -> tuple[str, ...]:
        """The decoded parts of the path."""
        return tuple(unquote(part) for part in self.raw_path.strip("/").split("/"))

    @property
    def raw_path(self) -> str:
        """The path as it was sent, still percent-encoded."""
        return self.request.raw_path.partition("?")[0]

    @property
    def raw_query(self) -> str:
        """The query as it was sent."""
        return self.request.raw_path.partition("?")[2]

    @property
    def headers(self) -> dict[str, str]:
        """The headers, names in lower case."""
        return {name.lower(): value for name, value in self.request.headers.items()}

    @property
    def wants_json(self) -> bool:
        """Whether a query API is to answer in JSON; token verifiers ask so."""
        return self.service == "sts" and self.headers.get("accept") == "application/json"

    def json(self) -> dict[str, Any]:
        """Read the body as a JSON object; an empty one is one without members."""
        try:
            read = json.loads(self.body or b"{}")
        except ValueError:
            read = None
        if not isinstance(read, dict):
            raise AwsError("SerializationException", "The request body is no JSON object")
        return read

    def operation(self) -> tuple[str, str]:
        """Name the operation and what it is about: ``cluster/group``, a role, a schedule; raises AwsError."""
        if self.service in QUERY:
            return self.form.get("Action", "none"), self.form.get("RoleArn", "")
        if self.service == "scheduler":
            return schedule_operation_of(self.request.method, self.path), "/".join(self.path[1:])
        if self.service != "eks":
            raise AwsError("UnknownOperationException", f"not simulated: service {self.service}", 404)
        operation = operation_of(self.request.method, self.path)
        names = [part for number, part in enumerate(self.path) if number in {1, 3}]
        if operation == "CreateNodegroup":
            names.append(str(self.json().get("nodegroupName", "")))
        return operation, "/".join(names)


async def read(request: web.BaseRequest) -> Arrival:
    """Read a request; the credential scope of its signature names the service, an unsigned action is STS's."""
    body = await request.read()
    form = dict(request.query)
    if request.content_type == "application/x-www-form-urlencoded":
        form.update(parse_qsl(body.decode(), keep_blank_values=True))
    scope = sigv4.read_scope(request.headers.get("Authorization", ""))
    service = scope.service if scope else ("sts" if "Action" in form else "eks")
    return Arrival(request=request, service=service, form=form, body=body)
