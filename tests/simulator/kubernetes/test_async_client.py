"""kubernetes_asyncio, the triggerer's client, works as against a cluster."""

from __future__ import annotations

import asyncio

import pytest
from kubernetes_asyncio import client, watch
from kubernetes_asyncio.stream import WsApiClient

from .conftest import configured


@pytest.fixture
def with_client(cluster, ca_file):
    """Run a coroutine function with a CoreV1Api."""

    def run(function, kind=client.ApiClient):
        async def call():
            async with kind(configured(client.Configuration(), cluster.url, ca_file)) as api_client:
                return await asyncio.wait_for(function(client.CoreV1Api(api_client)), 20)

        return asyncio.run(call())

    return run


def test_a_pod_is_created_watched_and_its_log_read(with_client, new_pod):
    async def live(core):
        await core.create_namespaced_pod("default", new_pod("p", "echo", "hello"))
        async with watch.Watch().stream(core.list_namespaced_pod, "default", timeout_seconds=10) as events:
            async for event in events:
                if event["object"].status.phase == "Succeeded":
                    break
        return await core.read_namespaced_pod_log("p", "default")

    assert with_client(live) == "hello\n"


def test_a_watch_is_resumed_from_a_bookmark(with_client, new_pod):
    async def live(core):
        listed = await core.list_namespaced_pod("default")
        await core.create_namespaced_pod("default", new_pod("p", "sleep", "60"))
        stream = watch.Watch().stream(
            core.list_namespaced_pod,
            "default",
            resource_version=listed.metadata.resource_version,
            allow_watch_bookmarks=True,
            timeout_seconds=1,
        )
        return [event["type"] async for event in stream]

    seen = with_client(live)
    assert seen[0] == "ADDED"
    assert seen.count("ADDED") == 1


def test_a_followed_log_is_streamed(with_client, new_pod, run_pod):
    run_pod(new_pod("p", "sh", "-c", "echo one; sleep 0.1; echo two"), "Running")

    async def follow(core):
        response = await core.read_namespaced_pod_log("p", "default", follow=True, _preload_content=False)
        return [line async for line in response.content]

    assert with_client(follow) == [b"one\n", b"two\n"]


def test_a_command_is_executed(with_client, new_pod, run_pod):
    run_pod(new_pod("p", "sleep", "60"), "Running")

    async def execute(core):
        options = {"command": ["echo", "out"], "stderr": True, "stdin": False, "stdout": True, "tty": False}
        return await core.connect_get_namespaced_pod_exec("p", "default", container="base", **options)

    assert with_client(execute, WsApiClient) == "out\n"


def test_a_refusal_is_an_exception_with_its_body(with_client):
    async def read(core):
        with pytest.raises(client.ApiException) as raised:
            await core.read_namespaced_pod("nope", "default")
        return raised.value

    error = with_client(read)
    assert error.status == 404
    assert 'pods \\"nope\\" not found' in error.body
