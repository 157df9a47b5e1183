"""Plain HTTP to an API server, to see its answers as they are."""

from __future__ import annotations

import base64
import json
import ssl
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import urllib3

Answer = tuple[int, urllib3.HTTPHeaderDict, Any]
_TIMEOUT = urllib3.Timeout(connect=5, read=30)


class Wire:
    """The identity of a kubeconfig, or nobody, on the wire."""

    def __init__(self, kubeconfig: Path, *, anonymous: bool = False) -> None:
        document = json.loads(kubeconfig.read_text())
        cluster, user = document["clusters"][0]["cluster"], document["users"][0]["user"]
        self._server = cluster["server"]
        context = ssl.create_default_context(cadata=_decoded(cluster["certificate-authority-data"]))
        self._headers = {}
        if not anonymous and "token" in user:
            self._headers["Authorization"] = f"Bearer {user['token']}"
        elif not anonymous:
            _load(context, user)
        self._pool = urllib3.PoolManager(ssl_context=context, retries=False, timeout=_TIMEOUT)

    def send(self, method: str, path: str, body: Any, headers: Mapping[str, str]) -> Answer:
        """Send one request and return status, headers and body."""
        sent = body if body is None or isinstance(body, str | bytes) else json.dumps(body)
        typed = {} if sent is None else {"Content-Type": "application/json"}
        response = self._pool.request(
            method, self._server + path, body=sent, headers={**self._headers, **typed, **headers}
        )
        return response.status, response.headers, _read(response.data)


def lines(text: Any) -> list[Any]:
    """Return the documents of a stream of JSON lines, as `Wire.send` returns it: a watch may have sent one only."""
    return [text] if isinstance(text, dict) else [json.loads(line) for line in text.splitlines()]


def _read(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return data.decode(errors="replace")


def _load(context: ssl.SSLContext, user: Mapping[str, str]) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(_decoded(user["client-certificate-data"]) + "\n" + _decoded(user["client-key-data"]))
        file.flush()
        context.load_cert_chain(file.name)


def _decoded(text: str) -> str:
    return base64.b64decode(text).decode()
