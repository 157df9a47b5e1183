"""Sign tokens, right ones and wrong ones, with botocore's own signer."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from unittest import mock

import boto3
import botocore.auth
import botocore.session
from botocore.credentials import Credentials
from botocore.model import ServiceId
from botocore.signers import RequestSigner

from multicluster.simulator.aws.identities import AccessKey, Iam

CLUSTER, REGION = "prod", "eu-west-1"
PREFIX = "k8s-aws-v1."
ROLE, SESSION = "ml-runner", "airflow-worker"
QUERY = "Action=GetCallerIdentity&Version=2011-06-15"


def wrap(url: str) -> str:
    """Make a token of a presigned URL."""
    return PREFIX + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


def unwrap(token: str) -> str:
    """Return the presigned URL in a token."""
    return base64.urlsafe_b64decode(token.removeprefix(PREFIX) + "==").decode()


class Signer:
    """Hold the keys of one role and one user, and sign with them at any time: `age` seconds before `now`."""

    def __init__(self, iam: Iam, now: Callable[[], dt.datetime]) -> None:
        self.iam, self.now = iam, now
        self._role = iam.add_role(ROLE)
        self.role = self.session()
        self.alice = iam.add_user("alice")

    def session(self, *, token_bytes: int = 300, seconds: float = 3600) -> AccessKey:
        """Open a session of the role, with a session token of about so many bytes."""
        role = replace(self._role, session_token_bytes=token_bytes)
        return self.iam.open_session(role, SESSION, seconds)

    def sign(
        self,
        key: AccessKey | None = None,
        *,
        cluster: str | None = CLUSTER,
        region: str = REGION,
        host: str = "",
        age: float = 0,
        expires: int | str = 60,
        secret: str = "",
    ) -> str:
        """Sign a token as an in-process token source does; `cluster=None` leaves its header out."""
        key = key or self.role
        credentials = Credentials(key.id, secret or key.secret, key.session_token)
        emitter = botocore.session.get_session().get_component("event_emitter")
        signer = RequestSigner(ServiceId("STS"), region, "sts", "v4", credentials, emitter)
        request = {
            "method": "GET",
            "url": f"https://{host or f'sts.{region}.amazonaws.com'}/?{QUERY}",
            "body": {},
            "headers": {"x-k8s-aws-id": cluster} if cluster else {},
            "context": {},
        }
        with self._at(age):
            url = signer.generate_presigned_url(request, region_name=region, expires_in=expires, operation_name="")
        return wrap(url)

    def boto3(self, **options: str) -> str:
        """Sign a token with a client of boto3, as recipes on the web do."""
        session = boto3.Session(self.role.id, self.role.secret, self.role.session_token)
        endpoint = f"https://sts.{REGION}.amazonaws.com"
        client = session.client("sts", region_name=REGION, endpoint_url=endpoint)
        client.meta.events.register("before-sign.sts.GetCallerIdentity", _bind)
        with self._at(0):
            return wrap(client.generate_presigned_url("get_caller_identity", ExpiresIn=60, **options))

    def _at(self, age: float) -> mock._patch[_Clock]:
        then = (self.now() - dt.timedelta(seconds=age)).replace(tzinfo=None)
        return mock.patch.object(botocore.auth, "get_current_datetime", new=_Clock(then))


class _Clock:
    """What stands in for botocore's look at the clock."""

    def __init__(self, then: dt.datetime) -> None:
        self.then = then

    def __call__(self, *_: object, **__: object) -> dt.datetime:
        return self.then


def _bind(request: object, **_event: object) -> None:
    request.headers["x-k8s-aws-id"] = CLUSTER
