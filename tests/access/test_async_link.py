from __future__ import annotations

import asyncio
import gc
from dataclasses import replace

import pytest
from kubernetes_asyncio.client import CoreV1Api
from kubernetes_asyncio.client.exceptions import ApiException

from multicluster.access.async_client import async_client
from multicluster.errors import ClusterUnreachableError, CredentialError


@pytest.fixture
def run(access):
    def runner(work, access=access):
        async def main():
            async with await async_client(access, name="gpu") as client:
                return await work(CoreV1Api(client))

        return asyncio.run(main())

    return runner


@pytest.fixture
def elsewhere(serve, ca):
    return serve(ca, name="elsewhere")


@pytest.mark.parametrize("how", [(status, preload) for status in (301, 302, 307, 308) for preload in (True, False)])
def test_a_redirect_is_never_followed(run, server, elsewhere, answer, how):
    status, preload = how
    server.answer = lambda _: answer(status=status, headers={"Location": elsewhere.url})

    with pytest.raises(ApiException) as caught:
        run(lambda core: core.list_namespaced_pod("ml", _preload_content=preload))
    assert caught.value.status == status
    assert elsewhere.recorded == []


def test_connections_to_where_a_cluster_was_are_closed_when_nobody_uses_them(run, server, access, elsewhere, answer):
    event = b'{"type": "ADDED", "object": {}}\n'

    async def work(core):
        server.answer = lambda _: answer(body=event, unfinished=True)
        watched = await core.list_namespaced_pod("ml", watch=True, _preload_content=False)
        client = core.api_client
        old = client._link
        access.next_endpoint = replace(access.current, server=elsewhere.url)
        await client._reconnect(old, OSError())
        while_read = (len(client._retired), old._session.closed)
        read = await watched.content.readline()
        watched.close()
        await core.list_namespaced_pod("ml")
        return read, while_read, (len(client._retired), old._session.closed)

    assert run(work) == (event, (1, False), (0, True))
    assert len(elsewhere.recorded) == 1


def test_a_dead_server_leaves_no_connections_behind(run, access, endpoint):
    access.current = access.next_endpoint = replace(endpoint, server="https://127.0.0.1:1")

    async def work(core):
        links = {core.api_client._link}
        for _ in range(20):
            with pytest.raises(ClusterUnreachableError):
                await core.list_namespaced_pod("ml")
            links.add(core.api_client._link)
        return len(links), core.api_client._retired

    assert run(work) == (1, [])


def complaints(caplog, recwarn):
    said = [record.message for record in caplog.records] + [str(warning.message) for warning in recwarn]
    return [text for text in said if "nclosed client" in text or "nclosed connect" in text]


def test_a_closed_client_leaves_nothing_unclosed(access, endpoint, caplog, recwarn):
    async def main():
        async with await async_client(access, name="gpu") as client:
            await CoreV1Api(client).list_namespaced_pod("ml")
            access.next_endpoint = replace(endpoint, read_timeout=3)
            await client._reconnect(client._link, OSError())
            await CoreV1Api(client).list_namespaced_pod("ml")

    asyncio.run(main())
    gc.collect()

    assert complaints(caplog, recwarn) == []


def test_a_client_that_could_not_be_made_leaves_nothing_unclosed(access, source, caplog, recwarn):
    def fail():
        raise CredentialError("no role")

    source.before_mint = fail

    def attempt():
        with pytest.raises(CredentialError, match="no role"):
            asyncio.run(async_client(access, name="gpu"))

    attempt()
    source.before_mint = lambda: None
    access.tokens.token()  # so that nobody remembers the error, and its frames
    gc.collect()

    assert complaints(caplog, recwarn) == []
