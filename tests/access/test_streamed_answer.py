"""A watch or a log that falls silent ends in time, with the same error as every other call."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
import urllib3
from airflow.providers.cncf.kubernetes.utils.pod_manager import PodLogsConsumer
from kubernetes.client import CoreV1Api
from kubernetes.watch import Watch
from kubernetes_asyncio.client import CoreV1Api as AsyncCoreV1Api
from kubernetes_asyncio.watch import Watch as AsyncWatch

from multicluster.access.async_client import async_client
from multicluster.access.sync_client import sync_client
from multicluster.errors import ClusterUnreachableError

EVENT = b'{"type": "ADDED", "object": {"metadata": {"name": "p", "resourceVersion": "1"}}}\n'


@pytest.fixture
def quiet(server, answer, access):
    """Say one thing, promise more, and fall silent."""
    access.current = replace(access.current, read_timeout=0.3)

    def say(body):
        server.answer = lambda _: answer(body=body, unfinished=True)

    return say


@pytest.fixture
def core(quiet, access):
    return CoreV1Api(sync_client(access, name="gpu"))


def test_a_watch_that_falls_silent_is_unreachable_after_the_events_that_came(core, quiet):
    quiet(EVENT)
    seen = []

    def watch():
        seen.extend(event["type"] for event in Watch().stream(core.list_namespaced_pod, "ml"))

    with pytest.raises(ClusterUnreachableError, match=r"cluster 'gpu': .*Read timed out"):
        watch()
    assert seen == ["ADDED"]


class Consumer(PodLogsConsumer):
    def logs_available(self):
        return True


READERS = {
    "read": lambda log: log.read(),
    "data": lambda log: log.data,
    "stream": lambda log: list(log.stream(amt=None)),
    "iteration": list,
    "the consumer of stock Airflow": lambda log: list(Consumer(log, None, None, "base")),
}


@pytest.mark.parametrize("reader", READERS)
def test_pain_21_a_log_that_falls_silent_is_an_error_of_both_sorts(core, quiet, reader):
    quiet(b"2026-11-21T12:00:00Z line\n")
    log = core.read_namespaced_pod_log("p", "ml", follow=True, _preload_content=False)

    with pytest.raises(ClusterUnreachableError) as caught:
        READERS[reader](log)
    # Stock Airflow goes on reading a log after an error of this class, two seconds later than where it was.
    assert isinstance(caught.value, urllib3.exceptions.TimeoutError)


def test_what_was_answered_in_full_is_read_as_ever(core, server, answer):
    server.answer = lambda _: answer(body=b"one\ntwo\n")
    log = core.read_namespaced_pod_log("p", "ml", follow=True, _preload_content=False)

    assert (log.status, log.read(), log.closed) == (200, b"one\ntwo\n", True)
    log.release_conn()


ASYNC_READERS = {
    "watch": lambda core: anext(AsyncWatch().stream(core.list_namespaced_pod, "ml")),
    "watch with an end": lambda core: anext(AsyncWatch().stream(core.list_namespaced_pod, "ml", timeout_seconds=0)),
    "read": lambda core: _log(core, lambda log: log.read()),
    "line": lambda core: _log(core, lambda log: log.content.readline()),
    "iteration": lambda core: _log(core, lambda log: anext(aiter(log.content))),
}


async def _log(core, read):
    async with await core.read_namespaced_pod_log("p", "ml", follow=True, _preload_content=False) as log:
        return await read(log)


@pytest.fixture
def run(quiet, access):
    def runner(work):
        async def main():
            async with await async_client(access, name="gpu") as client:
                return await asyncio.wait_for(work(AsyncCoreV1Api(client)), 5)

        return asyncio.run(main())

    return runner


@pytest.mark.parametrize("reader", ASYNC_READERS)
def test_an_asynchronous_answer_that_falls_silent_is_unreachable(run, quiet, access, reader):
    access.current = replace(access.current, connect_timeout=1, read_timeout=0.3)
    quiet(b"")

    with pytest.raises(ClusterUnreachableError, match="cluster 'gpu': no usable answer"):
        run(ASYNC_READERS[reader])


def test_an_asynchronous_answer_in_full_is_read_as_ever(run, server, answer):
    server.answer = lambda _: answer(body=b"one\ntwo\n")

    async def lines(log):
        return log.status, [line async for line in log.content]

    assert run(lambda core: _log(core, lines)) == (200, [b"one\n", b"two\n"])
