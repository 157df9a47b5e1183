"""Let another process ask the world for faults and for its report, over HTTP with a random token."""

from __future__ import annotations

import dataclasses
import json
import secrets
from typing import TYPE_CHECKING, Any

from aiohttp import web

from multicluster.simulator.catalogue import FAULTS
from multicluster.simulator.injection import refuse_unknown

if TYPE_CHECKING:
    from multicluster.simulator.world import World


class Control:
    """Serve ``GET /faults``, ``PUT /faults/NAME``, ``DELETE /faults[/NAME]`` and ``GET /report``."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.token = secrets.token_urlsafe(24)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request; 401 without the token, 404 for anything else, 400 with the reason."""
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not secrets.compare_digest(given.encode(), self.token.encode()):
            return web.json_response({"error": "wrong or missing token"}, status=401)
        parts = request.path.strip("/").split("/")
        try:
            return web.json_response(await self._do(request, parts))
        except KeyError:
            return web.json_response({"error": f"nothing at {request.method} {request.path}"}, status=404)
        except ValueError as error:
            return web.json_response({"error": str(error)}, status=400)

    async def _do(self, request: web.BaseRequest, parts: list[str]) -> dict[str, Any]:
        match request.method, parts:
            case "GET", ["faults"]:
                return FAULTS
            case "GET", ["report"]:
                return dataclasses.asdict(self.world.report())
            case "PUT", ["faults", name]:
                options = json.loads(await request.read() or b"{}")
                target, times = options.pop("target", ".*"), options.pop("times", None)
                texts = {key: str(value) for key, value in options.items()}
                self.world.inject(name, target=target, times=None if times is None else int(times), **texts)
                return {"injected": name}
            case "DELETE", ["faults"]:
                self.world.faults.clear()
                return {"cleared": "all"}
            case "DELETE", ["faults", name]:
                refuse_unknown(name)
                self.world.faults.remove(name)
                return {"cleared": name}
        raise KeyError(request.path)
