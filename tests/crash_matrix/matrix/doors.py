"""The clients of our code, real ones, whose requests stay in this process: boto3, requests, kubernetes.

They are made once, since that takes as long as several scenarios, and lead into the world that is on.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from typing import Any, Protocol

import boto3
import botocore.endpoint
import botocore.retries.quota
import botocore.session
import requests
from botocore import UNSIGNED
from botocore.awsrequest import AWSResponse, HeadersDict
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from kubernetes.client import ApiClient, Configuration
from kubernetes.client.exceptions import ApiException
from requests.adapters import BaseAdapter

from matrix.process import current
from matrix.wire import CutError, Request, SilenceError, Wire
from multicluster.errors import ClusterUnreachableError

PATIENCE = 30.0
"""Seconds that our clients wait for an answer: EksNodePools' read_timeout, and GKE's TIMEOUT."""
SIGNATURE = "0" * 64


class Clouds(Protocol):
    """The world behind the doors."""

    wire: Wire
    aws: Any
    google: Any

    async def kubernetes(self, request: Any) -> Any: ...


class _Doors:
    """Where the doors lead now."""

    clouds: Clouds | None = None
    quotas: list[Any] = []  # noqa: RUF012 - one for each client that is ever made


def open_into(clouds: Clouds | None) -> None:
    """Let every client speak to *clouds* from now on, and forget what it learnt of another world."""
    _Doors.clouds = clouds
    for quota in _Doors.quotas:
        quota.__init__()


def _world() -> Clouds:
    assert _Doors.clouds is not None, "no world is on"
    return _Doors.clouds


class AwsSession:
    """What EksNodePools takes for a boto3 session: it hands out the clients of this process."""

    def client(self, service: str, *, region_name: str, config: Config) -> Any:
        return _aws_client(service, region_name, config.read_timeout)


@cache
def _aws_client(service: str, region: str, read_timeout: float) -> Any:
    kept = botocore.retries.quota.RetryQuota
    botocore.retries.quota.RetryQuota = _Quota
    try:
        config = Config(
            retries={"mode": "standard", "total_max_attempts": 4},
            signature_version=UNSIGNED,
            read_timeout=read_timeout,
            user_agent="matrix",
        )
        core = botocore.session.Session()
        core.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_moment)
        client = boto3.session.Session(botocore_session=core).client(service, region_name=region, config=config)
    finally:
        botocore.retries.quota.RetryQuota = kept
    scope = f"AWS4-HMAC-SHA256 Credential=K/20270115/{region}/{service}/aws4_request, "
    signed = f"{scope}SignedHeaders=host, Signature={SIGNATURE}"

    def send(request: Any, event_name: str, **_: Any) -> AWSResponse:
        asked = Request(request.method, request.url, {**request.headers, "Authorization": signed}, request.body)
        world = _world()
        try:
            what = f"{service}:{event_name.rsplit('.', 1)[-1]}"
            answer = world.wire.ask(world.aws.gateway.handle, asked, what=what, patience=PATIENCE)
        except CutError as error:
            raise ConnectionClosedError(endpoint_url=request.url) from error
        except SilenceError as error:
            raise ReadTimeoutError(endpoint_url=request.url) from error
        return AWSResponse(request.url, answer.status, HeadersDict(answer.headers), _Body(answer.body))

    client.meta.events.register("before-send", send)
    client.meta.events.register("needs-retry", _not_after_silence)
    return client


def _moment(value: Any) -> datetime:
    """Read a time as botocore does, in a tenth of the time."""
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    return datetime.fromisoformat(value)


def _not_after_silence(caught_exception: Exception | None = None, **_: Any) -> None:
    """Do as the session of multicluster.kinds.eks does: it waits out a silence once."""
    if isinstance(caught_exception, ReadTimeoutError):
        raise caught_exception


class _Quota(botocore.retries.quota.RetryQuota):
    """botocore's budget of retries; a new world begins with a full one."""

    def __init__(self) -> None:
        super().__init__()
        if self not in _Doors.quotas:
            _Doors.quotas.append(self)


class _Body:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: Any) -> Any:
        yield self._body


class _Time:
    """What botocore takes for the module ``time`` where it waits between two tries."""

    @staticmethod
    def sleep(seconds: float) -> None:
        process = current()
        if process is not None:
            process.sleep(seconds)


botocore.endpoint.time = _Time


@cache
def google_session() -> requests.Session:
    """Return the session of this process for Google's APIs."""
    session = requests.Session()
    session.trust_env = False
    session.mount("https://", _Google())
    return session


class _Google(BaseAdapter):
    """The way of requests to Google."""

    def send(self, request: Any, **_: Any) -> requests.Response:
        world = _world()
        asked = Request(request.method, request.url, request.headers, request.body)
        try:
            what = f"google:{request.method} {asked.path.rsplit('/', 2)[-2]}/{asked.path.rsplit('/', 1)[-1]}"
            answer = world.wire.ask(world.google.handle, asked, what=what, patience=PATIENCE)
        except CutError as error:
            raise requests.exceptions.ConnectionError(str(error)) from error
        except SilenceError as error:
            raise requests.exceptions.ReadTimeout(str(error)) from error
        response = requests.Response()
        response.status_code, response.request, response.url = answer.status, request, request.url
        response.headers.update(answer.headers)
        response._content = answer.body
        response.encoding = "utf-8"
        return response

    def close(self) -> None:
        """Hold nothing."""


@cache
def kubernetes_client(cluster: str) -> ApiClient:
    """Return the client of a cluster's API server; it refreshes no credentials, and needs none."""
    configuration = Configuration()
    configuration.host = f"https://{cluster}"
    client = ApiClient(configuration)
    client.rest_client = _Rest()
    return client


class _Rest:
    """The way of the kubernetes client to the API server, for the one verb that lookouts and reaper use."""

    def GET(self, url: str, *, query_params: Any = None, **_: Any) -> Any:  # noqa: N802 - the client's name
        world = _world()
        query = "&".join(f"{name}={value}" for name, value in query_params or ())
        asked = Request("GET", f"{url}?{query}", {}, None)
        try:
            what = f"kubernetes:GET {asked.path.rsplit('/', 1)[-1]}"
            answer = world.wire.ask(world.kubernetes, asked, what=what, patience=PATIENCE)
        except (CutError, SilenceError) as error:
            raise ClusterUnreachableError(f"cluster {asked.host!r}: {what} was not answered") from error
        if answer.status >= 400:
            refused = ApiException(status=answer.status, reason="injected")
            refused.body = answer.body or b"{}"
            raise refused
        return _Answer(answer.body)


class _Answer:
    status, reason = 200, "OK"

    def __init__(self, data: bytes) -> None:
        self.data = data

    def getheader(self, _name: str, default: str = "") -> str:
        return default or "application/json"

    def json(self) -> Any:
        return json.loads(self.data)
