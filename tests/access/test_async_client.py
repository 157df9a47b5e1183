from __future__ import annotations

import asyncio
import os
import socket
import threading
from dataclasses import replace

import aiohttp
import pytest
from kubernetes_asyncio.client import Configuration, CoreV1Api
from kubernetes_asyncio.client.exceptions import ApiException
from kubernetes_asyncio.watch import Watch

from multicluster.access.async_client import async_client
from multicluster.access.token import Finding
from multicluster.errors import ClusterUnreachableError, CredentialError, CredentialUnavailableError


@pytest.fixture
def run(access):
    """Run a coroutine function with a client, in a loop of its own."""

    def runner(work, access=access):
        async def main():
            async with await async_client(access, name="gpu") as client:
                return await work(CoreV1Api(client))

        return asyncio.run(main())

    return runner


def listing(core):
    return core.list_namespaced_pod("ml")


def test_every_request_carries_the_token(run, server):
    run(listing)

    assert server.tokens() == ["Bearer token-1"]


def test_pain_01_a_client_that_outlives_its_token_sends_a_new_one(run, server, clock):
    async def work(core):
        await listing(core)
        clock.move(20 * 60)
        await listing(core)

    run(work)

    assert server.tokens() == ["Bearer token-1", "Bearer token-2"]


@pytest.mark.parametrize("preload", [True, False])
def test_pain_01_one_401_is_answered_by_one_replay(run, server, answer, preload):
    server.answer = lambda request: answer(status=401 if request.headers["authorization"] == "Bearer token-1" else 200)

    run(lambda core: core.list_namespaced_pod("ml", _preload_content=preload))

    assert server.tokens() == ["Bearer token-1", "Bearer token-2"]


@pytest.mark.parametrize("preload", [True, False])
def test_pain_01_a_second_401_is_a_credential_error_after_exactly_two_requests(run, server, answer, preload):
    server.answer = lambda _: answer(status=401)

    with pytest.raises(CredentialError, match=r"cluster 'gpu' .* refused two tokens"):
        run(lambda core: core.list_namespaced_pod("ml", _preload_content=preload))
    assert server.tokens() == ["Bearer token-1", "Bearer token-2"]


def test_a_second_401_is_looked_into_off_the_loop(run, server, answer, source):
    threads = []
    source.inquire = lambda: (
        threads.append(threading.current_thread()) or Finding(text="STS is silent.", transient=True)
    )
    server.answer = lambda _: answer(status=401)

    with pytest.raises(CredentialUnavailableError, match=r"STS is silent\.$"):
        run(listing)
    assert len(threads) == 1
    assert threads[0] is not threading.main_thread()


def test_other_refusals_stay_what_they_are(run, server, answer):
    server.answer = lambda _: answer(status=403, body=b"{}")

    with pytest.raises(ApiException) as caught:
        run(listing)
    assert caught.value.status == 403


def test_many_tasks_refused_with_one_token_mint_one_more(run, server, source, answer):
    server.answer = lambda request: answer(status=401 if request.headers["authorization"] == "Bearer token-1" else 200)

    async def work(core):
        await asyncio.gather(*(listing(core) for _ in range(50)))

    run(work)

    assert source.mints == 2


def test_minting_leaves_the_event_loop_free(run, source, access):
    async def work(core):
        released = threading.Event()
        source.before_mint = lambda: released.wait(10)
        access.tokens.drop(access.tokens.token())
        asked = asyncio.create_task(listing(core))
        asyncio.get_running_loop().call_soon(released.set)
        await asked
        return released.is_set()

    assert run(work)


def test_a_cluster_that_moved_is_found_again(run, server, access, endpoint):
    access.current = replace(endpoint, server="https://127.0.0.1:1")

    run(listing)

    assert access.fresh_questions == 1
    assert server.tokens() == ["Bearer token-1"]


def test_an_untrusted_certificate_is_asked_for_again_and_never_gets_the_token(run, access, endpoint, ca, serve):
    other = serve(type(ca)())
    access.current = access.next_endpoint = replace(endpoint, server=other.url)

    with pytest.raises(ClusterUnreachableError, match="CERTIFICATE_VERIFY_FAILED"):
        run(listing)
    assert access.fresh_questions == 1
    assert other.recorded == []


def test_an_unknown_host_name_is_asked_for_again_and_then_unreachable(run, access, endpoint):
    access.current = access.next_endpoint = replace(endpoint, server="https://gone.invalid")

    with pytest.raises(ClusterUnreachableError, match=r"no usable answer from https://gone\.invalid"):
        run(listing)
    assert access.fresh_questions == 1


def test_unreachable_is_an_error_that_stock_airflow_retries(run, access, endpoint):
    from airflow.providers.cncf.kubernetes.kubernetes_helper_functions import _should_retry_api

    access.current = access.next_endpoint = replace(endpoint, server="https://127.0.0.1:1")

    with pytest.raises(aiohttp.ClientConnectionError) as caught:
        run(listing)
    assert _should_retry_api(caught.value)


async def watch(core):
    async with Watch().stream(core.list_namespaced_pod, "ml") as events:
        return [event async for event in events]


CALLS = {
    "get": lambda core: core.read_namespaced_pod("p", "ml"),
    "list": listing,
    "watch": watch,
    "log": lambda core: core.read_namespaced_pod_log("p", "ml", follow=True, _preload_content=False),
}


@pytest.mark.parametrize("verb", CALLS)
def test_pain_34_silence_after_the_handshake_ends_in_time(run, server, access, silence, verb):
    access.current = replace(access.current, read_timeout=0.2)
    server.answer = lambda _: silence

    with pytest.raises(ClusterUnreachableError):
        run(CALLS[verb])
    assert len(server.recorded) == 1


@pytest.mark.parametrize("verb", CALLS)
def test_pain_34_silence_before_the_handshake_ends_in_time(run, black_hole, access, endpoint, verb):
    access.current = replace(endpoint, server=black_hole.url, connect_timeout=0.2, read_timeout=0.2)

    with pytest.raises(ClusterUnreachableError):
        run(CALLS[verb])


@pytest.mark.parametrize("time_out", [0.1, (1, 0.1), aiohttp.ClientTimeout(total=0.1)])
def test_a_time_out_of_the_caller_wins(run, server, silence, time_out):
    server.answer = lambda _: silence

    with pytest.raises(ClusterUnreachableError):
        run(lambda core: core.list_namespaced_pod("ml", _request_timeout=time_out))


def test_watches_never_starve_a_call(run, server, answer, silence):
    watches = 101

    async def work(core):
        loop, all_there, there = asyncio.get_running_loop(), asyncio.Event(), []

        def reply(request):
            if "watch=True" not in request.path:
                return answer()
            there.append(1)
            if len(there) == watches:
                loop.call_soon_threadsafe(all_there.set)
            return silence

        server.answer = reply
        silent = [
            asyncio.create_task(core.list_namespaced_pod("ml", watch=True, _request_timeout=60)) for _ in range(watches)
        ]
        await asyncio.wait_for(all_there.wait(), 15)
        pods = await asyncio.wait_for(listing(core), 15)
        for task in silent:
            task.cancel()
        await asyncio.gather(*silent, return_exceptions=True)
        return pods.items

    assert run(work) == []


@pytest.mark.parametrize("time_out", [None, (0.2, 5)])
def test_a_slow_name_server_is_waited_for_no_longer_than_connecting_may_last(
    run, access, endpoint, monkeypatch, time_out
):
    access.current = access.next_endpoint = replace(endpoint, server="https://slow.example", connect_timeout=0.2)
    answered = threading.Event()

    async def resolve(*_, **__):
        await asyncio.to_thread(answered.wait, 5)
        return []

    monkeypatch.setattr(aiohttp.ThreadedResolver, "resolve", resolve)
    monkeypatch.setattr(aiohttp.TCPConnector, "_resolve_host", resolve)

    async def work(core):
        try:
            await asyncio.wait_for(core.list_namespaced_pod("ml", _request_timeout=time_out), 3)
        finally:
            answered.set()

    with pytest.raises(ClusterUnreachableError):
        run(work)


def test_pain_19_the_server_name_for_tls_may_differ_from_the_address(run, serve, ca, access, endpoint):
    server = serve(ca, name="api.internal")
    access.current = replace(endpoint, server=server.url, tls_server_name="api.internal")

    run(listing)

    assert len(server.recorded) == 1


def test_a_client_certificate_is_shown_to_the_server(run, serve, ca, endpoint, make_access):
    server = serve(ca, name="mtls", clients=True)
    certificate, key = ca.issue("jane")
    jane = replace(endpoint, server=server.url, client_certificate_pem=certificate, client_key_pem=key)

    run(listing, make_access(jane, None))

    assert server.peers[0]["subject"] == ((("commonName", "jane"),),)


def test_pain_34_connections_have_keepalive(run):
    async def work(core):
        await listing(core)
        pool = core.api_client.rest_client.pool_manager._session.connector
        (connections,) = pool._conns.values()
        transport_socket = connections[0][0].transport.get_extra_info("socket")
        return transport_socket.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)

    assert run(work) != 0


def test_pain_12_nothing_global_changes(run):
    before = (dict(os.environ), Configuration._default, socket.getdefaulttimeout())

    run(listing)

    assert before == (dict(os.environ), Configuration._default, socket.getdefaulttimeout())
