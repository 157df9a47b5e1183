"""Receive every AWS request: let faults strike, check its signature, hand it to its service, write the answer."""

from __future__ import annotations

import asyncio
import datetime as dt
import secrets
from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from aiohttp import web

from multicluster.simulator.aws import sigv4, xml
from multicluster.simulator.aws.arrival import QUERY, Arrival, read
from multicluster.simulator.aws.call import Call
from multicluster.simulator.aws.errors import AwsError, json_text, query_status, render
from multicluster.simulator.aws.permissions import asks
from multicluster.simulator.aws.token_verifier import verify_presigned
from multicluster.simulator.faults import suffer

if TYPE_CHECKING:
    from multicluster.simulator.aws.autoscaling import AutoScaling
    from multicluster.simulator.aws.ec2 import Ec2
    from multicluster.simulator.aws.eks import Eks
    from multicluster.simulator.aws.identities import Iam, Principal
    from multicluster.simulator.aws.policies import Policies
    from multicluster.simulator.aws.schedules import Schedules
    from multicluster.simulator.aws.sts import Sts
    from multicluster.simulator.clock import Clock
    from multicluster.simulator.faults import Faults, HttpError

UNSIGNED = "AssumeRoleWithWebIdentity"


class Gateway:
    """One address for all services and regions; the credential scope of the signature says which is meant."""

    def __init__(
        self,
        *,
        iam: Iam,
        policies: Policies,
        clock: Clock,
        signature_clock: Clock,
        faults: Faults,
        eks: Eks,
        sts: Sts,
        autoscaling: AutoScaling,
        ec2: Ec2,
        schedules: Schedules,
    ) -> None:
        self.iam, self.policies = iam, policies
        self.clock, self.signature_clock, self.faults = clock, signature_clock, faults
        self.eks, self.sts, self.autoscaling, self.ec2, self.schedules = eks, sts, autoscaling, ec2, schedules
        self.skew = dt.timedelta()
        self.calls: Counter[str] = Counter()

    def now(self) -> dt.datetime:
        """Tell the time signatures are judged by."""
        return self.signature_clock.now() + self.skew

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        arrival = await read(request)
        try:
            operation, target = arrival.operation()
            self.calls[f"{arrival.service}:{operation}"] += 1
            return await self._answer(arrival, operation, target)
        except AwsError as error:
            return render_for(arrival, error)

    async def _answer(self, arrival: Arrival, operation: str, target: str) -> web.StreamResponse:
        service, request = arrival.service, arrival.request

        def refuse(error: HttpError) -> web.StreamResponse:
            reason, message = error.reason or "InternalFailure", error.message or "injected"
            return render_for(arrival, AwsError(reason, message, error.code))

        struck = await suffer(self.faults.effects(service, operation, target), request, self.clock, refuse)
        if struck is not None:
            return struck
        response = self._serve(arrival, operation)
        await asyncio.sleep(0)  # what the call began reaches its first wait before the caller goes on
        after = self.faults.effects(f"response:{service}", operation, target)
        return await suffer(after, request, self.clock, refuse) or response

    def _serve(self, arrival: Arrival, operation: str) -> web.Response:
        if operation == UNSIGNED:
            return xml.answer("sts", operation, self.sts.assume_role_with_web_identity(arrival.form))
        caller, region = self._authenticate(arrival)
        query = arrival.request.query
        call = Call(
            service=arrival.service,
            region=region,
            caller=caller,
            method=arrival.request.method,
            path=arrival.path,
            query=dict(query),
            repeated={name: tuple(query.getall(name)) for name in query},
            body=arrival.form if arrival.service in QUERY else arrival.json(),
        )
        self.policies.require(caller, asks(operation, call, self.eks))
        if arrival.service == "eks":
            return json_response(self.eks.answer(operation, call))
        if arrival.service == "scheduler":
            return json_response(self.schedules.answer(operation, call))
        if arrival.service == "sts":
            return self._sts(arrival, operation, call)
        answer = self.autoscaling.answer if arrival.service == "autoscaling" else self.ec2.answer
        return xml.answer(arrival.service, operation, answer(operation, call))

    def _authenticate(self, arrival: Arrival) -> tuple[Principal, str]:
        """Find out who signed, and for which region."""
        headers = arrival.headers
        if arrival.request.method == "GET" and "X-Amz-Signature" in arrival.form:
            pairs = tuple(parse_qsl(arrival.raw_query, keep_blank_values=True))
            return verify_presigned(pairs, headers, self.iam, self.now())[0], "us-east-1"
        signed = sigv4.SignedRequest(
            method=arrival.request.method,
            path=arrival.raw_path,
            query=arrival.raw_query,
            headers=headers,
            body=arrival.body,
        )
        key, scope = sigv4.verify_header(signed, self.iam, self.now())
        return key.principal, scope.region

    def _sts(self, arrival: Arrival, operation: str, call: Call) -> web.Response:
        actions = {"GetCallerIdentity": self.sts.get_caller_identity, "AssumeRole": self.sts.assume_role}
        if operation not in actions:
            raise AwsError("InvalidAction", f"Could not find operation {operation} for version 2011-06-15")
        result = actions[operation](call.caller, call.body)
        if arrival.wants_json:
            meta = {"RequestId": secrets.token_hex(16)}
            return json_response({f"{operation}Response": {f"{operation}Result": result, "ResponseMetadata": meta}})
        return xml.answer("sts", operation, result)


def render_for(arrival: Arrival, error: AwsError) -> web.Response:
    """Write a refusal in the dialect that the request asked for."""
    if arrival.wants_json:
        return web.json_response(text=json_text(error), status=query_status(error))
    return render(error, arrival.service)


def json_response(body: dict[str, Any]) -> web.Response:
    """Write an answer of the JSON protocol."""
    return web.json_response(body, headers={"x-amzn-RequestId": secrets.token_hex(16)})
