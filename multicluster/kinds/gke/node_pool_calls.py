"""Call Google's REST APIs, and let only errors of ours out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from multicluster.kinds.gke.node_pool_errors import refusal, transport_errors

if TYPE_CHECKING:
    from requests import Session

TIMEOUT = (5, 30)
"""Seconds to connect, and to wait for the next byte."""
ERRORS_FROM = 400


def compute_url() -> str:
    """Return Compute Engine's address, or gcloud's own override of it."""
    return os.environ.get("CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE") or "https://compute.googleapis.com/compute/v1/"


class Calls:
    """One API of Google's below one address."""

    def __init__(self, session: Session, url: str, *, subject: str) -> None:
        self._session = session
        self._url = url.rstrip("/")
        self._subject = subject

    def __call__(
        self,
        method: str,
        path: str,
        *,
        what: str,
        json: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Return the answer's JSON object. Blocks; never asks twice: whoever called decides about that."""
        what = f"{self._subject}: {what}"
        with transport_errors(what):
            response = self._session.request(method, f"{self._url}/{path}", json=json, params=params, timeout=TIMEOUT)
            body = _object(response)
        if response.status_code >= ERRORS_FROM:
            raise refusal(what, response.status_code, body)
        return body

    def pages(
        self, method: str, path: str, *, what: str, params: Mapping[str, str] | None = None
    ) -> list[dict[str, Any]]:
        """Return all pages of a list, following ``nextPageToken``."""
        found, token = [], ""
        while True:
            asked = {**(params or {}), **({"pageToken": token} if token else {})}
            page = self(method, path, what=what, params=asked)
            found.append(page)
            token = str(page.get("nextPageToken") or "")
            if not token:
                return found


def _object(response: Any) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {"error": {"message": response.text[:200] or "an empty answer"}} if not response.ok else {}
    return body if isinstance(body, dict) else {}
