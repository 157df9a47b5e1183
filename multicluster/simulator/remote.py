"""Speak to a world that another process serves."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Self

URL, TOKEN = "MULTICLUSTER_SIMULATOR_URL", "MULTICLUSTER_SIMULATOR_TOKEN"
TIMEOUT_SECONDS = 10


@dataclass(frozen=True, kw_only=True)
class RemoteWorld:
    """The control address of a served world. All methods block; OSError when nobody answers there."""

    url: str
    token: str = field(repr=False)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Find the world whose exports are in the environment; raises LookupError when there are none."""
        given = os.environ if environ is None else environ
        if URL not in given or TOKEN not in given:
            raise LookupError(
                f"no simulator in the environment: {URL} and {TOKEN} are printed by `multicluster simulator`"
            )
        return cls(url=given[URL], token=given[TOKEN])

    def inject(self, name: str, *, target: str = ".*", times: int | None = None, **options: str) -> None:
        """Let a fault of the catalogue strike; raises ValueError for an unknown name or option."""
        self._ask("PUT", f"/faults/{name}", {"target": target, "times": times, **options})

    def remove(self, name: str = "") -> None:
        """Take a fault out of force, or all of them."""
        self._ask("DELETE", f"/faults/{name}".rstrip("/"))

    def faults(self) -> dict[str, str]:
        """Return the catalogue: name and description."""
        return self._ask("GET", "/faults")

    def report(self) -> dict[str, Any]:
        """Return the world's report as a JSON object; the fields are those of ``Report``."""
        return self._ask("GET", "/report")

    def _ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.token}"}
        request = urllib.request.Request(self.url + path, data, headers, method=method)  # noqa: S310 - ours, http
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
                read: dict[str, Any] = json.load(answer)
                return read
        except urllib.error.HTTPError as error:
            if error.code == HTTPStatus.BAD_REQUEST:
                raise ValueError(json.load(error)["error"]) from None
            raise
