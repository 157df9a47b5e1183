"""Speak to a real API server as its admin, from the world's loop."""

from __future__ import annotations

import base64
import json
import ssl
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import yaml

from multicluster.simulator.kubernetes.documents import Document
from multicluster.simulator.kubernetes.status import ApiError

MERGE_PATCH = "application/merge-patch+json"
_LONGEST_LINE = 4 * 2**20
_SUCCESS = range(200, 300)


@dataclass(frozen=True, kw_only=True)
class Admin:
    """A kubeconfig with a client certificate, read."""

    url: str
    ca_pem: bytes
    user: Mapping[str, str] = field(repr=False)
    context: ssl.SSLContext = field(repr=False)

    @classmethod
    def from_kubeconfig(cls, text: str) -> Admin:
        """Read the first cluster and the first user. Raises KeyError for one without a client certificate."""
        document = yaml.safe_load(text)
        cluster, user = document["clusters"][0]["cluster"], document["users"][0]["user"]
        ca = base64.b64decode(cluster["certificate-authority-data"])
        context = ssl.create_default_context(cadata=ca.decode())
        with tempfile.NamedTemporaryFile(suffix=".pem") as file:  # OpenSSL takes paths only; mode 0600, gone at once
            file.write(base64.b64decode(user["client-key-data"]) + b"\n")
            file.write(base64.b64decode(user["client-certificate-data"]))
            file.flush()
            context.load_cert_chain(file.name)
        return cls(url=cluster["server"], ca_pem=ca, user=user, context=context)


class Api:
    """An HTTP session with one API server. Made, used and closed on one loop."""

    def __init__(self, admin: Admin) -> None:
        self._url = admin.url
        connector = aiohttp.TCPConnector(ssl=admin.context)
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=330)
        self._session = aiohttp.ClientSession(connector=connector, timeout=timeout, read_bufsize=_LONGEST_LINE)

    async def request(self, method: str, path: str, body: object = None, media: str = "application/json") -> Document:
        """Ask and return the object answered. Raises ApiError for a refusal, aiohttp.ClientError for a silence."""
        data = None if body is None else json.dumps(body)
        headers = {"Content-Type": media, "Accept": "application/json"}
        async with self._session.request(method, self._url + path, data=data, headers=headers) as answer:
            found: Document = json.loads(await answer.read())
            if answer.status not in _SUCCESS:
                raise ApiError(answer.status, str(found.get("message")), reason=str(found.get("reason") or ""))
            return found

    async def watch(self, path: str, version: str) -> AsyncIterator[Document]:
        """Yield the events after a version until the server ends the watch. Raises ApiError 410 when it is too old."""
        query: dict[str, Any] = {"watch": "1", "resourceVersion": version, "allowWatchBookmarks": "true"}
        async with self._session.get(self._url + path, params=query) as answer:
            async for line in answer.content:
                event: Document = json.loads(line)
                if event["type"] == "ERROR":
                    raise ApiError(int(event["object"].get("code", 500)), str(event["object"].get("message")))
                yield event

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()
