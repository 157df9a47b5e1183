"""Answer a real API server's question whose bearer token it was given (authentication.k8s.io/v1 TokenReview)."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from multicluster.simulator.kubernetes.users import Authenticate, User


class TokenReviews:
    """The webhook: asks the world's own authenticator."""

    def __init__(self, authenticate: Authenticate) -> None:
        self._authenticate = authenticate

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one review; an unknown token is answered, not refused."""
        review = json.loads(await request.read())
        user = self._authenticate(review["spec"]["token"])
        return web.json_response({**review, "spec": {}, "status": status(user)})


def status(user: User | None) -> dict[str, Any]:
    """Write a review's status."""
    if user is None:
        return {"authenticated": False, "error": "the token was not accepted"}
    return {"authenticated": True, "user": {"username": user.name, "groups": list(user.groups)}}


def webhook_kubeconfig(url: str, ca_pem: bytes) -> str:
    """Write the file that leads an API server to the webhook."""
    cluster = {"server": url, "certificate-authority-data": base64.b64encode(ca_pem).decode()}
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "world", "cluster": cluster}],
            "users": [{"name": "api-server", "user": {}}],
            "contexts": [{"name": "world", "context": {"cluster": "world", "user": "api-server"}}],
            "current-context": "world",
        }
    )
