"""Send each sort of request with the Kubernetes clients that are installed; the test beside it looks at the wire.

Run as a script, in an environment of its own: ``wire_check.py SERVER CA_FILE``. Prints what it saw as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import kubernetes
import kubernetes.client
import kubernetes_asyncio
import kubernetes_asyncio.client
from kubernetes.client.exceptions import ApiException
from kubernetes.stream import stream
from kubernetes.watch import Watch

from multicluster.access.async_client import async_client
from multicluster.access.cached_tokens import CachedTokens
from multicluster.access.endpoint import Endpoint
from multicluster.access.sync_client import sync_client
from multicluster.access.token import Token
from multicluster.errors import ClusterUnreachableError, CredentialError


class Numbered:
    """Mints PREFIX-1, PREFIX-2, ..."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.mints = 0

    def mint(self) -> Token:
        self.mints += 1
        return Token(value=f"{self.prefix}-{self.mints}", expires_at=datetime.now(UTC) + timedelta(minutes=5))


class Access:
    def __init__(self, prefix: str, **endpoint: object) -> None:
        self.tokens = CachedTokens(Numbered(prefix))
        server, ca = sys.argv[1], Path(sys.argv[2]).read_bytes()
        self._endpoint = Endpoint(server=server, ca_pem=ca, connect_timeout=2, **endpoint)

    def endpoint(self, *, fresh: bool = False) -> Endpoint:
        return self._endpoint


def outcome(call: object, *arguments: object, **options: object) -> str:
    try:
        call(*arguments, **options)
    except ApiException as error:
        return f"ApiException {error.status}"
    except (CredentialError, ClusterUnreachableError) as error:
        return type(error).__mro__[1 if isinstance(error, ClusterUnreachableError) else 0].__name__
    return "ok"


def sync_calls() -> dict[str, str]:
    core = kubernetes.client.CoreV1Api(sync_client(Access("sync"), name="wire"))
    quiet = kubernetes.client.CoreV1Api(sync_client(Access("quiet", read_timeout=0.3), name="wire"))
    return {
        "list": outcome(core.list_namespaced_pod, "ml"),
        "create": outcome(core.create_namespaced_pod, "ml", {"metadata": {"name": "p"}}, _preload_content=False),
        "watch": outcome(lambda: list(Watch().stream(core.list_namespaced_pod, "ml", timeout_seconds=1))),
        "log": outcome(core.read_namespaced_pod_log, "p", "ml", follow=True, _preload_content=False),
        "exec": outcome(stream, core.connect_get_namespaced_pod_exec, "p", "ml", command=["true"], stdout=True),
        "refused once": outcome(core.list_namespaced_pod, "refuse-sync-1"),
        "refused": outcome(core.list_namespaced_pod, "refuse"),
        "silent": outcome(quiet.list_namespaced_pod, "silent"),
        "silent exec": outcome(stream, quiet.connect_get_namespaced_pod_exec, "p", "silent", command=["true"]),
    }


async def async_outcome(call: object, *arguments: object, **options: object) -> str:
    try:
        await call(*arguments, **options)
    except kubernetes_asyncio.client.ApiException as error:
        return f"ApiException {error.status}"
    except (CredentialError, ClusterUnreachableError) as error:
        return type(error).__mro__[1 if isinstance(error, ClusterUnreachableError) else 0].__name__
    return "ok"


async def async_calls() -> dict[str, str]:
    async with (
        await async_client(Access("async"), name="wire") as client,
        await async_client(Access("quiet", read_timeout=0.3), name="wire") as quiet_client,
    ):
        core = kubernetes_asyncio.client.CoreV1Api(client)
        quiet = kubernetes_asyncio.client.CoreV1Api(quiet_client)

        async def watch() -> None:
            events = kubernetes_asyncio.watch.Watch().stream(core.list_namespaced_pod, "ml", timeout_seconds=1)
            async for _ in events:
                pass

        return {
            "async list": await async_outcome(core.list_namespaced_pod, "ml"),
            "async watch": await async_outcome(watch),
            "async log": await async_outcome(
                core.read_namespaced_pod_log, "p", "ml", follow=True, _preload_content=False
            ),
            "async refused once": await async_outcome(core.list_namespaced_pod, "refuse-async-1"),
            "async refused": await async_outcome(core.list_namespaced_pod, "refuse"),
            "async silent": await async_outcome(quiet.list_namespaced_pod, "silent"),
        }


if __name__ == "__main__":
    versions = {"kubernetes": kubernetes.__version__, "kubernetes_asyncio": kubernetes_asyncio.__version__}
    print(json.dumps({**versions, **sync_calls(), **asyncio.run(async_calls())}))  # noqa: T201  its result
