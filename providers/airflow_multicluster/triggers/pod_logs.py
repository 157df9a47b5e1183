"""Write a running container's log from the triggerer, each line once, across triggers and triggerers."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

import aiohttp
from airflow.providers.cncf.kubernetes.utils import pod_manager as stock
from kubernetes_asyncio.client import CoreV1Api
from kubernetes_asyncio.client.exceptions import ApiException

from airflow_multicluster.log_notes import gap, log_request, note, noted_cursor
from multicluster.errors import MulticlusterError
from multicluster.pods.log_lines import LogCursor, LogLine, LogReader, furthest

if TYPE_CHECKING:
    from logging import Logger

    from kubernetes.client import models as k8s

    from airflow_multicluster.hooks.cluster import AsyncClusterHook

T = TypeVar("T")
TROUBLE = (ApiException, aiohttp.ClientError, OSError, MulticlusterError)
OK = 200
CHUNK = 2**16
AT_ONCE = 500
"""Lines that are written in one go, in a thread: emitting them takes longer than reading them."""
CONNECT_SECONDS, SILENT_SECONDS = 10, 60


class RunningLog:
    """The log of one container while its task is deferred."""

    def __init__(self, hook: AsyncClusterHook, log: Logger) -> None:
        self._hook = hook
        self._log = log
        self._said = ""

    async def catch_up(self, pod: k8s.V1Pod, container: str, start: LogCursor | None) -> LogCursor | None:
        """Write what is new, note on the pod how far that is, and return it.

        The pod is waited for whatever becomes of its log: an answer that is refused or breaks off is said once, and
        asked for again the next time. One chunk of it is in memory at a time.
        """
        before = furthest(start, noted_cursor(pod, container))
        reader = LogReader(before)
        try:
            async with self._hook.reading_a_log(), self._hook.get_conn() as client:
                try:
                    await self._read(client, pod, container, reader)
                finally:
                    if reader.cursor is not None and reader.cursor != before:
                        await _finished(self._note(client, pod, container, reader.cursor))
        except TROUBLE as error:
            self._say(container, error)
        return reader.cursor

    async def _note(self, client: Any, pod: k8s.V1Pod, container: str, cursor: LogCursor) -> None:
        name, namespace, body = pod.metadata.name, pod.metadata.namespace, note(container, cursor)
        try:
            await CoreV1Api(client).patch_namespaced_pod(name, namespace, body, _request_timeout=CONNECT_SECONDS)
        except TROUBLE as error:  # not left to the caller's: a trigger that is being cancelled would live on
            self._say(container, error)

    def _say(self, container: str, error: Exception) -> None:
        if (said := f"{type(error).__name__}: {error}") != self._said:
            self._said = said
            self._log.warning("Container %s: its log is read again later: %s", container, said)

    async def _read(self, client: Any, pod: k8s.V1Pod, container: str, reader: LogReader) -> None:
        call, options = log_request(pod, container, reader.cursor)
        answer = await client.call_api(*call, **options, _request_timeout=(CONNECT_SECONDS, SILENT_SECONDS))
        try:
            if answer.status != OK:
                raise ApiException(status=answer.status, reason=(await answer.read())[:500].decode(errors="replace"))
            while data := await answer.content.read(CHUNK):
                lines = reader.feed(data)
                while await _finished(asyncio.to_thread(self._write, container, islice(lines, AT_ONCE), reader)):
                    pass
        finally:
            answer.close()

    def _write(self, container: str, lines: Iterator[LogLine], reader: LogReader) -> int:
        """Write them as the stock trigger does; return how many there were."""
        count = 0
        for count, line in enumerate(lines, 1):  # noqa: B007 - the last one is what is asked for
            if missing := gap(container, line):
                self._log.warning("%s", missing)
            if stock.is_log_group_marker(line.text):
                print(line.text)  # noqa: T201 - the log of a trigger takes what it prints
            else:
                self._log.log(stock._parse_log_level(line.text), "[%s] %s", container, line.text)  # noqa: SLF001
        reader.written()
        return count


async def _finished(work: Coroutine[Any, Any, T]) -> T:
    """Wait for what a thread or the API server does, also when cancelled: the cursor and its note have to be true."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise
