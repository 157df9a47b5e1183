"""Put Google together: identities, GKE, a little Compute, and the gateway in front of them."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from aiohttp import web

from multicluster.simulator.faults import suffer
from multicluster.simulator.google.clusters import GkeClusters
from multicluster.simulator.google.compute import Compute
from multicluster.simulator.google.container import Container
from multicluster.simulator.google.errors import GoogleError, render
from multicluster.simulator.google.front_door import FrontDoor
from multicluster.simulator.google.identities import CLOUD_PLATFORM, AccessTokens, ServiceAccounts
from multicluster.simulator.google.metadata import Metadata
from multicluster.simulator.google.node_pools import GceWording, NodePools
from multicluster.simulator.google.oauth import OAuth
from multicluster.simulator.google.operations import Operations
from multicluster.simulator.google.permissions import CONNECT, Grants
from multicluster.simulator.kubernetes.users import User

if TYPE_CHECKING:
    from collections.abc import Callable

    from multicluster.simulator.clock import Clock
    from multicluster.simulator.delays import Delays
    from multicluster.simulator.faults import Faults, HttpError
    from multicluster.simulator.fleet import NodeGroup
    from multicluster.simulator.google.clusters import GkeCluster
    from multicluster.simulator.google.identities import AccessToken
    from multicluster.simulator.host import Host
    from multicluster.simulator.node_groups import NodeGroups
    from multicluster.simulator.tls import CertificateAuthority
    from multicluster.simulator.wording import Incident

IMPERSONATE = re.compile(r"/v1/projects/-/serviceAccounts/([^/:]+):generateAccessToken")
IAM_SCOPE = "https://www.googleapis.com/auth/iam"
CODES = {
    "ExpiredToken": 401, "InvalidClientTokenId": 401, "ResourceInUseException": 400,
    "ResourceLimitExceededException": 429,
}  # fmt: skip
"""Where Google's code for a refusal is not AWS's."""


class Google:
    """Google Cloud as a world has it: one address for its APIs, one for the metadata server."""

    def __init__(
        self,
        *,
        groups: NodeGroups,
        clock: Clock,
        delays: Delays,
        faults: Faults,
        fate: Callable[[str, NodeGroup], Incident | None],
        project: str = "acme",
    ) -> None:
        del delays  # the state machine has them
        self.project, self.clock, self.faults = project, clock, faults
        self.calls: Counter[str] = Counter()
        self.accounts, self.tokens, self.grants = ServiceAccounts(), AccessTokens(clock.now), Grants()
        self.account = self.accounts.add("airflow", project)
        self.oauth = OAuth(self.accounts, self.tokens, clock.now)
        self.metadata = Metadata(self.account, self.tokens, clock, faults, self.calls)
        self.clusters, self.operations = GkeClusters(), Operations(clock.now)
        self.pools = NodePools(groups, self.operations, fate)
        self.container = Container(self.clusters, self.pools, self.operations)
        self.compute = Compute(groups)
        self._url = ""
        groups.wordings["gke"] = GceWording()

    @property
    def url(self) -> str:
        """The address of all APIs but the metadata server."""
        return self._url

    @url.setter
    def url(self, url: str) -> None:
        self._url = self.oauth.url = self.pools.compute_url = url

    def add_cluster(self, cluster: GkeCluster, host: Host, ca: CertificateAuthority) -> None:
        """Take a cluster in and open its DNS endpoint, under a certificate of the world's CA."""
        door = FrontDoor(cluster.kubernetes, ca.server_context(), self._may_connect)
        cluster.dns_endpoint = f"localhost:{host.call(door.open())}"
        self.clusters.add(cluster)

    def _may_connect(self, token: str) -> bool:
        found = self.tokens.find(token)
        return found is None or self.grants.allow(found.account.email, CONNECT)

    def key_file(self, name: str = "airflow") -> dict[str, Any]:
        """Make a service-account key file of an account of the default project."""
        return self.accounts.key_file(self.accounts.add(name, self.project), self.url + "/token")

    def authenticator(self, cluster: GkeCluster) -> Callable[[str], User | None]:
        """Return what the cluster's API server asks about a bearer token, which is good for every cluster."""

        def authenticate(token: str) -> User | None:
            found = self.tokens.admit(token)
            if found is None:
                return None
            return User(name=found.user, groups=("system:masters",) if cluster.everyone_is_admin else ())

        return authenticate

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        body = await request.read()
        try:
            service, operation, target = self._operation(request, body)
            self.calls[f"{service}:{operation}"] += 1
            effects = self.faults.effects(service, operation, target)
            struck = await suffer(effects, request, self.clock, lambda error: refuse(error, service))
            if struck is not None:
                return struck
            response = self._dispatch(request, service, operation, body)
            await asyncio.sleep(0)  # what the call began reaches its first wait before the caller goes on
            after = self.faults.effects(f"response:{service}", operation, target)
            return await suffer(after, request, self.clock, lambda error: refuse(error, service)) or response
        except GoogleError as error:
            return render(error, compute=request.path.startswith("/compute/"))

    def _operation(self, request: web.BaseRequest, body: bytes) -> tuple[str, str, str]:
        path = request.path
        if path in {"/token", "/v1/token"}:
            return "oauth2", "token", ""
        if path == "/tokeninfo":
            return "oauth2", "tokeninfo", ""
        found = IMPERSONATE.fullmatch(path)
        if found is not None:
            return "iamcredentials", "generateAccessToken", found[1]
        if path.startswith("/compute/"):
            return "compute", self.compute.operation(request.method, path), path.rsplit("/", 1)[-1]
        method, target = self.container.method(request.method, path)
        if method == "nodePools.create":
            target += "/" + str((read_json(body).get("nodePool") or {}).get("name", ""))
        return "container", method, target

    def _dispatch(self, request: web.BaseRequest, service: str, operation: str, body: bytes) -> web.StreamResponse:
        if operation == "token":
            return self.oauth.token(body)
        if operation == "tokeninfo":
            return self.oauth.tokeninfo(request.query.get("access_token", ""))
        caller = self._caller(request, operation)
        if service == "iamcredentials":
            email = request.path.rsplit("/", 1)[-1].removesuffix(":generateAccessToken")
            return web.json_response(self.oauth.generate_access_token(caller, email, read_json(body)))
        self.grants.require(caller.account.email, operation, request.path, read_json(body))
        if service == "compute":
            return web.json_response(self.compute.answer(operation, request.path, dict(request.query)))
        return web.json_response(self.container.answer(operation, request.path, read_json(body)))

    def _caller(self, request: web.BaseRequest, operation: str) -> AccessToken:
        token = self.tokens.find(request.headers.get("Authorization", "").removeprefix("Bearer "))
        if token is None:
            message = (
                "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other "
                "valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project."
            )
            raise GoogleError(
                401,
                message,
                reason="ACCESS_TOKEN_TYPE_UNSUPPORTED"
                if not request.headers.get("Authorization")
                else "ACCESS_TOKEN_EXPIRED",
            )
        enough = {CLOUD_PLATFORM, IAM_SCOPE} if operation == "generateAccessToken" else {CLOUD_PLATFORM}
        if not enough & set(token.scopes):
            raise GoogleError(
                403, "Request had insufficient authentication scopes.", reason="ACCESS_TOKEN_SCOPE_INSUFFICIENT"
            )
        if not token.account.allowed:
            raise GoogleError(
                403,
                f'Required "container.{operation}" permission(s) for "{request.path}".',
                reason="IAM_PERMISSION_DENIED",
            )
        return token


def refuse(error: HttpError, service: str) -> web.Response:
    """Write an injected refusal in Google's words, whatever cloud's code it was given."""
    if service == "oauth2":
        grant = error.reason if error.reason.islower() else "internal_failure"
        return web.json_response({"error": grant, "error_description": error.message}, status=error.code)
    code = CODES.get(error.reason, error.code)
    if error.reason == "ResourceInUseException":
        locked = "CLUSTER_ALREADY_HAS_OPERATION"
        return render(GoogleError(code, error.message, status="FAILED_PRECONDITION", reason=locked), compute=False)
    status = error.reason if error.reason.isupper() else ""  # a canonical status where the code has several
    return render(GoogleError(code, error.message, status=status), compute=service == "compute")


def read_json(body: bytes) -> dict[str, Any]:
    """Read a JSON object; an empty body is an empty one."""
    try:
        read = json.loads(body or b"{}")
    except ValueError:
        raise GoogleError(400, "Invalid JSON payload received. Unexpected end of string.") from None
    if not isinstance(read, dict):
        raise GoogleError(400, "Invalid JSON payload received.")
    return read
