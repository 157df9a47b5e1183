"""Receive every AWS request: check its signature, let faults strike, hand it to its service, write the answer."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from aiohttp import web

from multicluster.simulator.aws import sigv4, xml
from multicluster.simulator.aws.call import Call
from multicluster.simulator.aws.eks import operation_of
from multicluster.simulator.aws.errors import AwsError, render
from multicluster.simulator.aws.schedules import operation_of as schedule_operation_of
from multicluster.simulator.aws.token_verifier import verify_presigned
from multicluster.simulator.faults import Drop, suffer

if TYPE_CHECKING:
    from multicluster.simulator.aws.autoscaling import AutoScaling
    from multicluster.simulator.aws.ec2 import Ec2
    from multicluster.simulator.aws.eks import Eks
    from multicluster.simulator.aws.identities import Iam, Principal
    from multicluster.simulator.aws.schedules import Schedules
    from multicluster.simulator.aws.sts import Sts
    from multicluster.simulator.clock import Clock
    from multicluster.simulator.faults import Faults, HttpError

REST = {"eks", "scheduler"}
QUERY = {"sts", "autoscaling", "ec2"}
UNSIGNED = "AssumeRoleWithWebIdentity"


class Gateway:
    """One address for all services and regions; the credential scope of the signature says which is meant."""

    def __init__(
        self,
        *,
        iam: Iam,
        clock: Clock,
        signature_clock: Clock,
        faults: Faults,
        eks: Eks,
        sts: Sts,
        autoscaling: AutoScaling,
        ec2: Ec2,
        schedules: Schedules,
    ) -> None:
        self.iam, self.clock, self.signature_clock, self.faults = iam, clock, signature_clock, faults
        self.eks, self.sts, self.autoscaling, self.ec2, self.schedules = eks, sts, autoscaling, ec2, schedules
        self.skew = dt.timedelta()
        self.calls: Counter[str] = Counter()

    def now(self) -> dt.datetime:
        """Tell the time signatures are judged by."""
        return self.signature_clock.now() + self.skew

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        body = await request.read()
        form = _form(request, body)
        scope = sigv4.read_scope(request.headers.get("Authorization", ""))
        service = scope.service if scope else ("sts" if "Action" in form else "eks")
        try:
            if service not in REST | QUERY:
                raise AwsError("UnknownOperationException", f"not simulated: service {service}", 404)
            operation, target = _operation(request, service, form, body)
            self.calls[f"{service}:{operation}"] += 1
            return await self._answer(request, service, operation, target, form, body)
        except AwsError as error:
            return render(error, service)

    async def _answer(
        self, request: web.BaseRequest, service: str, operation: str, target: str, form: dict[str, str], body: bytes
    ) -> web.StreamResponse:
        def refuse(error: HttpError) -> web.StreamResponse:
            return render(AwsError(error.reason or "InternalFailure", error.message or "injected", error.code), service)

        struck = await suffer(self.faults.effects(service, operation, target), request, self.clock, refuse)
        if struck is not None:
            return struck
        caller, region = self._authenticate(request, operation, form, body)
        response = self._dispatch(request, service, operation, form, body, caller, region)
        after = self.faults.effects(f"response:{service}", operation, target)
        late = await suffer(tuple(effect for effect in after if isinstance(effect, Drop)), request, self.clock, refuse)
        return late or response

    def _authenticate(
        self, request: web.BaseRequest, operation: str, form: dict[str, str], body: bytes
    ) -> tuple[Principal | None, str]:
        if operation == UNSIGNED:
            return None, "us-east-1"
        if request.method == "GET" and "X-Amz-Signature" in form:
            pairs = tuple(parse_qsl(request.raw_path.partition("?")[2], keep_blank_values=True))
            caller, _ = verify_presigned(pairs, _headers(request), self.iam, self.now())
            return caller, "us-east-1"
        path, _, query = request.raw_path.partition("?")
        signed = sigv4.SignedRequest(
            method=request.method, path=path, query=query, headers=_headers(request), body=body
        )
        key, scope = sigv4.verify_header(signed, self.iam, self.now())
        return key.principal, scope.region

    def _dispatch(
        self,
        request: web.BaseRequest,
        service: str,
        operation: str,
        form: dict[str, str],
        body: bytes,
        caller: Principal | None,
        region: str,
    ) -> web.StreamResponse:
        if caller is None:
            return xml.answer(service, operation, self.sts.assume_role_with_web_identity(form))
        call = Call(
            service=service,
            region=region,
            caller=caller,
            method=request.method,
            path=_path(request),
            query=dict(request.query),
            repeated={name: tuple(request.query.getall(name)) for name in request.query},
            body=form if service in QUERY else _json(body),
        )
        if service == "eks":
            return _json_response(self.eks.answer(operation, call))
        if service == "scheduler":
            return _json_response(self.schedules.answer(operation, call))
        if service == "sts":
            return self._sts(request, operation, call)
        answer = self.autoscaling.answer if service == "autoscaling" else self.ec2.answer
        return xml.answer(service, operation, answer(operation, call))

    def _sts(self, request: web.BaseRequest, operation: str, call: Call) -> web.StreamResponse:
        actions = {"GetCallerIdentity": self.sts.get_caller_identity, "AssumeRole": self.sts.assume_role}
        if operation not in actions:
            raise AwsError("InvalidAction", f"Could not find operation {operation} for version 2011-06-15", 400)
        result = actions[operation](call.caller, call.body)
        if request.headers.get("Accept") == "application/json":  # the token verifier asks so
            meta = {"RequestId": "00000000-0000-0000-0000-000000000000"}
            return _json_response({f"{operation}Response": {f"{operation}Result": result, "ResponseMetadata": meta}})
        return xml.answer("sts", operation, result)


def _operation(request: web.BaseRequest, service: str, form: dict[str, str], body: bytes) -> tuple[str, str]:
    """Name the operation and what it is about: ``cluster/group``, a role, a schedule."""
    if service in QUERY:
        return form.get("Action", "none"), form.get("RoleArn", "")
    path = _path(request)
    if service == "scheduler":
        return schedule_operation_of(request.method, path), "/".join(path[1:])
    operation = operation_of(request.method, path)
    names = [part for number, part in enumerate(path) if number in {1, 3}]
    if operation == "CreateNodegroup":
        names.append(str(_json(body).get("nodegroupName", "")))
    return operation, "/".join(names)


def _path(request: web.BaseRequest) -> tuple[str, ...]:
    path = request.raw_path.partition("?")[0]
    return tuple(unquote(part) for part in path.strip("/").split("/"))


def _headers(request: web.BaseRequest) -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}


def _form(request: web.BaseRequest, body: bytes) -> dict[str, str]:
    given = dict(request.query)
    if request.content_type == "application/x-www-form-urlencoded":
        given.update(parse_qsl(body.decode(), keep_blank_values=True))
    return given


def _json(body: bytes) -> dict[str, Any]:
    if not body:
        return {}
    try:
        read = json.loads(body)
    except ValueError:
        raise AwsError("SerializationException", "The request body is not valid JSON") from None
    if not isinstance(read, dict):
        raise AwsError("SerializationException", "The request body is no JSON object")
    return read


def _json_response(body: dict[str, Any]) -> web.Response:
    return web.json_response(body, headers={"x-amzn-RequestId": "00000000-0000-0000-0000-000000000000"})
