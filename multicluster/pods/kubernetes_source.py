"""Ask a real API server, with a client of kubernetes_asyncio; the only module of this room that knows one."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from multicluster.errors import CredentialError, MulticlusterError
from multicluster.pods.source import (
    BrokenOffError,
    Change,
    Document,
    HistoryGoneError,
    NotAllowedError,
    Page,
    SourceError,
)

if TYPE_CHECKING:
    from kubernetes_asyncio.client import ApiClient

    from multicluster.pods.entry import Sighting

OK, FORBIDDEN, NOT_FOUND, GONE, TOO_MANY, SERVER = 200, 403, 404, 410, 429, 500
CONNECT_SECONDS = 10.0
GetClient = Callable[[], Awaitable["ApiClient"]]
"""Returns the client to use for the next request."""


class KubernetesSource:
    """The pods of one namespace that carry *labels*, or its events of pods: *kind* is ``pod`` or ``event``."""

    def __init__(
        self, client: GetClient, *, namespace: str, kind: str = "pod", labels: Mapping[str, str] | None = None
    ) -> None:
        self._client = client
        self._namespace = namespace
        self._call = f"list_namespaced_{kind}"
        self._selectors = (
            {"field_selector": "involvedObject.kind=Pod"}
            if kind == "event"
            else {"label_selector": ",".join(f"{key}={value}" for key, value in (labels or {}).items())}
        )

    async def page(self, *, size: int, rest: str = "", about: str = "") -> Page:
        """Return a page of the newest state; raises HistoryGoneError when *rest* has become too old."""
        more = {"_continue": rest} if rest else {}
        if about:
            more["field_selector"] = f"{self._selectors['field_selector']},involvedObject.name={about}"
        with _translated():
            answer = await self._list(limit=size, **more)
            found = json.loads(await _body(answer))
        metadata = found["metadata"]
        return Page(items=found["items"], version=metadata["resourceVersion"], rest=metadata.get("continue", ""))

    async def get(self, name: str) -> Document | None:
        """Return the pod; None where there is none. Raises ApiException for what the server refuses for good."""
        from kubernetes_asyncio.client import CoreV1Api

        with _translated():
            api = CoreV1Api(await self._client())
            answer = await api.read_namespaced_pod(name, self._namespace, _preload_content=False)
            body = await answer.read()
            if answer.status == NOT_FOUND:
                return None
            if answer.status == OK:
                found: Document = json.loads(body)
                return found
            if answer.status >= SERVER or answer.status == TOO_MANY:
                raise BrokenOffError(_words(answer, body), retry_after=_retry_after(answer))
        raise _refusal(answer.status, answer.reason, body)

    async def changes(self, version: str, *, seconds: int, silence: float) -> AsyncGenerator[Change, None]:
        """Yield what happens after *version*."""
        with _translated():
            answer = await self._list(
                watch=True,
                resource_version=version,
                allow_watch_bookmarks=True,
                timeout_seconds=seconds,
                _request_timeout=(CONNECT_SECONDS, silence),
            )
            try:
                if answer.status != OK:
                    await _body(answer, watch=True)
                while line := await answer.content.readline():
                    yield _change(line)
            finally:
                answer.close()

    async def _list(self, **options: Any) -> Any:
        from kubernetes_asyncio.client import CoreV1Api

        listing = getattr(CoreV1Api(await self._client()), self._call)
        return await listing(self._namespace, _preload_content=False, **{**self._selectors, **options})


def pod_model(client: ApiClient, sighting: Sighting, before: tuple[Sighting, Any] | None = None) -> Any:
    """Return the pod as the client's own model; takes about a millisecond of the loop's time.

    *before* is an earlier state of the pod with its model: the same spec is not read again, which is half the work.
    """
    model = client.deserialize(SimpleNamespace(data=sighting.text), "V1Pod")
    model.kind, model.api_version = "Pod", "v1"
    if before is not None and before[0].spec == sighting.spec:
        model.spec = before[1].spec
    else:
        model.spec = client.deserialize(SimpleNamespace(data=sighting.spec), "V1PodSpec")
    return model


def event_model(client: ApiClient, event: Document) -> Any:
    """Return an event as the client's own model."""
    return client.deserialize(SimpleNamespace(data=json.dumps(event)), "CoreV1Event")


def no_such_pod(name: str) -> Exception:
    """Return the client's error for a pod that is not there, as if it had asked just now."""
    text = f'pods "{name}" not found'
    status = {"kind": "Status", "status": "Failure", "message": text, "reason": "NotFound", "code": NOT_FOUND}
    return _refusal(NOT_FOUND, "Not Found", json.dumps(status).encode())


def _refusal(status: int, reason: str, body: bytes) -> Exception:
    from kubernetes_asyncio.client.exceptions import ApiException

    error: Exception = ApiException(status=status, reason=reason)
    error.body = body.decode(errors="replace")  # type: ignore[attr-defined]
    return error


async def _body(answer: Any, *, watch: bool = False) -> bytes:
    body: bytes = await answer.read()
    if answer.status == OK:
        return body
    if answer.status == FORBIDDEN:
        raise NotAllowedError(_words(answer, body))
    kind = HistoryGoneError if watch or answer.status == GONE else BrokenOffError
    raise kind(_words(answer, body), retry_after=_retry_after(answer))


def _change(line: bytes) -> Change:
    event = json.loads(line)
    document = event["object"]
    if event["type"] == "ERROR":
        raise HistoryGoneError(f"{document.get('code')} {document.get('reason')}: {document.get('message')}")
    return Change(kind=event["type"], document=document)


def _words(answer: Any, body: bytes) -> str:
    try:
        said = json.loads(body)["message"]
    except (ValueError, LookupError, TypeError):
        said = body[:200].decode(errors="replace")
    return f"the API server answered {answer.status} {answer.reason}: {said}"


def _retry_after(answer: Any) -> float:
    value = answer.headers.get("Retry-After", "")
    return float(value) if value.isdigit() else 0.0


@contextmanager
def _translated() -> Iterator[None]:
    """Turn what clients raise for want of a usable answer into BrokenOffError; what waiting cannot mend stays."""
    import aiohttp
    from kubernetes_asyncio.client.exceptions import ApiException

    try:
        yield
    except SourceError:
        raise
    except MulticlusterError as error:
        # A refused token may be an outage of what verifies tokens: an API server says the same for both.
        if error.transient or isinstance(error, CredentialError):
            raise BrokenOffError(str(error)) from error
        raise
    except (TimeoutError, ApiException, aiohttp.ClientError, OSError, ValueError, LookupError) as error:
        raise BrokenOffError(f"{type(error).__name__}: {error}") from error
