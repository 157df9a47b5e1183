"""Answer GCE's metadata server: project, service account, and one token handed out until its end is near."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from aiohttp import web

from multicluster.simulator.faults import suffer
from multicluster.simulator.google.identities import CLOUD_PLATFORM, USERINFO_EMAIL
from multicluster.simulator.google.oauth import answer

if TYPE_CHECKING:
    from collections import Counter

    from multicluster.simulator.clock import Clock
    from multicluster.simulator.faults import Faults
    from multicluster.simulator.google.identities import AccessToken, AccessTokens, ServiceAccount

SCOPES = (CLOUD_PLATFORM, USERINFO_EMAIL)
RENEWED_BEFORE = dt.timedelta(minutes=5)
FLAVOR = {"Metadata-Flavor": "Google"}


class Metadata:
    """Speak plain HTTP, as in reality; every request must carry ``Metadata-Flavor: Google``."""

    def __init__(
        self, account: ServiceAccount, tokens: AccessTokens, clock: Clock, faults: Faults, calls: Counter[str]
    ) -> None:
        self.account, self.tokens, self.clock, self.faults, self.calls = account, tokens, clock, faults, calls
        self._cached: dict[tuple[str, ...], AccessToken] = {}

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        if request.headers.get("Metadata-Flavor") != "Google":
            return web.Response(status=403, text="Missing Metadata-Flavor:Google header.", headers=FLAVOR)
        path = request.path.removeprefix("/computeMetadata/v1").strip("/")
        self.calls[f"metadata:{'token' if path.endswith('/token') else 'get'}"] += 1
        effects = self.faults.effects("metadata", path, self.account.email)
        struck = await suffer(
            effects, request, self.clock, lambda error: web.Response(status=error.code, headers=FLAVOR)
        )
        return struck or self._answer(request, path)

    def _answer(self, request: web.BaseRequest, path: str) -> web.Response:
        own = ("instance/service-accounts/default", f"instance/service-accounts/{self.account.email}")
        texts: dict[str, str] = {
            "": "computeMetadata/\n",
            "project/project-id": self.account.project,
            "project/numeric-project-id": self.account.unique_id[:12],
            "universe/universe-domain": "googleapis.com",
            "instance/service-accounts": f"default/\n{self.account.email}/\n",
        }
        for root in own:
            texts |= {
                f"{root}/email": self.account.email,
                f"{root}/scopes": "\n".join(SCOPES),
                f"{root}/aliases": "default",
            }
            if path == f"{root}/token":
                return self._token(request.query.get("scopes", ""))
        if path in own:
            info = {"aliases": ["default"], "email": self.account.email, "scopes": list(SCOPES)}
            return web.json_response(info, headers=FLAVOR)
        if path not in texts:
            return web.Response(status=404, text="Not Found", headers=FLAVOR)
        return web.Response(text=texts[path], content_type="application/text", headers=FLAVOR)

    def _token(self, scopes: str) -> web.Response:
        wanted = tuple(scopes.split(",")) if scopes else SCOPES
        token = self._cached.get(wanted)
        now = self.clock.now()
        if token is None or self.tokens.find(token.token) is None or token.expires - now < RENEWED_BEFORE:
            token = self._cached[wanted] = self.tokens.mint(self.account, wanted)
        response = answer(token, now)
        response.headers.update(FLAVOR)
        return response
