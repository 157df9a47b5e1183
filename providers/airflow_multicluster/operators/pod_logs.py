"""Write a container's log into the task's log, each line once, across broken connections, deferrals and workers."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pendulum
from airflow.providers.cncf.kubernetes.callbacks import ExecutionMode
from airflow.providers.cncf.kubernetes.utils.pod_manager import PodLoggingStatus
from kubernetes.client import ApiException
from urllib3.exceptions import HTTPError

from airflow_multicluster.log_notes import gap, heard, log_request, note, noted_cursor, told
from airflow_multicluster.patience import retry_after
from multicluster.pods.log_lines import LogCursor, LogLine, LogReader, furthest

if TYPE_CHECKING:
    from airflow.providers.cncf.kubernetes.utils.pod_manager import PodManager
    from kubernetes.client import models as k8s

CHUNK = 2**16
NOTE_SECONDS = 30.0
"""How often it is noted on the pod how far its log has been written."""
PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 15.0
ATTEMPTS = 6
"""How often the log of a container that has ended is asked for in vain: about half a minute."""
CONNECT_SECONDS, SILENT_SECONDS = 10, 300
UNAUTHORIZED = 401


def fetch_container_logs(
    manager: PodManager,
    pod: k8s.V1Pod,
    container: str,
    *,
    follow: bool,
    since_time: Any,
    prefix: bool,
    formatter: Callable[[str, str], str] | None,
) -> PodLoggingStatus:
    """Do what the stock manager's method of this name does, going on where the log was left.

    *since_time* may be what an earlier call has put into ``container_log_times``, or the trigger into its event.
    """

    def write(line: LogLine) -> None:
        if missing := gap(container, line):
            manager.log.warning("%s", missing)
        written = pendulum.from_timestamp(line.time / 1e9)
        for callback in manager._callbacks:  # noqa: SLF001
            callback.progress_callback(
                line=line.text, client=manager._client, mode=ExecutionMode.SYNC, container_name=container,  # noqa: SLF001
                timestamp=written, pod=pod,
            )  # fmt: skip
        manager._log_message(line.text, container, prefix, formatter)  # noqa: SLF001

    log = ContainerLog(manager, pod, container, start=heard(pod, since_time), write=write)
    try:
        running = log.follow() if follow else log.catch_up()
    finally:
        if cursor := log.reader.cursor:
            manager.container_log_times[pod.metadata.namespace, pod.metadata.name, container] = told(pod, cursor)
    return PodLoggingStatus(running=running, last_log_time=pendulum.instance(cursor.time) if cursor else None)


class ContainerLog:
    """The log of one container, and how far it has been written.

    *start* is what the caller knows of that; what is noted on the pod is looked up here, and counts when it is ahead.
    """

    def __init__(
        self,
        manager: PodManager,
        pod: k8s.V1Pod,
        container: str,
        *,
        start: LogCursor | None,
        write: Callable[[LogLine], None],
    ) -> None:
        self._manager = manager
        self._pod = pod
        self._container = container
        self._write = write
        cursor = furthest(start, noted_cursor(pod, container))
        if cursor is not None and cursor != start:
            manager.log.info("Container %s: its log up to %s has been written before", container, cursor.time)
        self.reader = LogReader(cursor)
        self._in_vain = 0
        self._noted = cursor
        self._note_at = time.monotonic() + NOTE_SECONDS

    def follow(self) -> bool:
        """Write what comes until the container has ended and all is written; raises as the pod's own GET does."""
        try:
            while True:
                error = self._read(follow=True)
                if not self._running():
                    break
                self._note_when_due()
                self._pause(error)
        except BaseException:
            self._note()
            raise
        self._rest(ended=True)  # an API server that has lost the kubelet ends its answer as if that was all
        return False

    def catch_up(self) -> bool:
        """Write what there is, and return whether the container goes on."""
        running = self._running()
        self._rest(ended=not running)
        if running:
            self._note()
        return running

    def _running(self) -> bool:
        return bool(self._manager.container_is_running(self._pod, self._container))

    def _rest(self, *, ended: bool) -> None:
        """Write what there is; the task does not fail for want of its log."""
        self._in_vain = 0
        while (error := self._read(follow=False, ended=ended)) and self._in_vain < ATTEMPTS:
            self._pause(error)

    def _read(self, *, follow: bool, ended: bool = False) -> Exception | None:
        """Write the new lines of one answer; return what broke it off, or why there was none."""
        reader, before = self.reader, self.reader.cursor
        reader.begin()
        try:
            with closing(self._ask(follow=follow)) as answer:
                for data in answer.stream(CHUNK):
                    for line in reader.feed(data):
                        self._write(line)
                    self._note_when_due()
        except (HTTPError, ApiException) as error:
            if isinstance(error, ApiException) and error.status == UNAUTHORIZED:
                raise
            self._in_vain = self._in_vain + 1 if reader.cursor == before else 1
            if self._in_vain == ATTEMPTS:
                self._warn(error)
            broken: Exception = error
            return broken
        for line in reader.finish(ended=ended):
            self._write(line)
        self._in_vain = 0
        return None

    def _warn(self, error: Exception) -> None:
        after = f" after {self.reader.cursor.time}" if self.reader.cursor else ""
        why = f"{error.status} {error.reason}" if isinstance(error, ApiException) else error
        self._manager.log.warning("Container %s: its log%s cannot be read: %s", self._container, after, why)

    def _pause(self, error: Exception | None) -> None:
        doubled = min(PAUSE_SECONDS * 2 ** max(self._in_vain - 1, 0), LONGEST_PAUSE_SECONDS)
        time.sleep(max(doubled, retry_after(error)))

    def _ask(self, *, follow: bool) -> Any:
        call, options = log_request(self._pod, self._container, self.reader.cursor, follow=follow)
        client = self._manager._client.api_client  # noqa: SLF001
        return client.call_api(*call, **options, _request_timeout=(CONNECT_SECONDS, SILENT_SECONDS))

    def _note_when_due(self) -> None:
        if time.monotonic() >= self._note_at:
            self._note()

    def _note(self) -> None:
        """Note on the pod how far its log is written: a worker that goes on after this one has died begins there."""
        self._note_at = time.monotonic() + NOTE_SECONDS
        cursor, metadata = self.reader.cursor, self._pod.metadata
        if cursor is None or cursor == self._noted:
            return
        self._noted = cursor
        try:
            self._manager._client.patch_namespaced_pod(  # noqa: SLF001
                metadata.name, metadata.namespace, note(self._container, cursor), _request_timeout=CONNECT_SECONDS
            )
        except (HTTPError, ApiException) as error:
            self._manager.log.info(
                "Container %s: it cannot be noted how far its log is written: %s", self._container, error
            )
