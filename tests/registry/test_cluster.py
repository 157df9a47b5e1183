"""A cluster is made without I/O, shared by threads, made anew in a forked child and in another event loop."""

from __future__ import annotations

import asyncio
import os
import pickle
import socketserver
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from multicluster import (
    ClusterCordonedError,
    CredentialError,
    NodePoolsUnsupportedError,
    RegistryDocumentError,
    UnknownProfileError,
    load_registry,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
TOY = {"auth": {"toy": {}}}
pytestmark = pytest.mark.usefixtures("toy_wheel")


@pytest.fixture
def cluster(document):
    def make(**fields):
        return load_registry(document(a={**TOY, **fields}), clock=lambda: NOW)["a"]

    return make


def test_a_cluster_says_who_it_is(cluster):
    one = cluster(displayName="The first", labels={"tier": "prod"})

    assert (one.name, one.kind, one.display_name, one.labels, one.source) == (
        "a",
        "toy",
        "The first",
        {"tier": "prod"},
        "argument",
    )
    assert repr(one) == "<Cluster 'a'>"


def test_the_network_and_the_clock_reach_the_access(cluster):
    one = cluster(network={"proxyUrl": "http://proxy:3128", "connectTimeoutSeconds": 2, "readTimeoutSeconds": 7.5})

    network = one.access.context.network
    assert (network.proxy_url, network.connect_timeout, network.read_timeout) == ("http://proxy:3128", 2, 7.5)
    assert one.access.context.clock() == NOW


def test_clusters_of_one_registry_share_what_they_have_in_common(document):
    registry = load_registry(document(a=TOY, b=TOY))

    assert registry["a"].access.context.shared is registry["b"].access.context.shared


def test_a_connection_reaches_the_access(document):
    registry = load_registry(document(a=TOY), connection=lambda name: {"login": name})

    assert registry["a"].access.context.connection("x") == {"login": "x"}


def test_a_token_comes_from_the_kind(cluster):
    token = cluster().token()

    assert token.value == "toy-of-a"


def test_a_kind_without_tokens_says_so(cluster):
    with pytest.raises(CredentialError, match=r"cluster 'a' is not reached by bearer token \(its kind is toy\)"):
        cluster(auth={"toy": {"tokenless": True}}).token()


def test_a_kind_without_node_pools_says_so(cluster):
    with pytest.raises(NodePoolsUnsupportedError):
        cluster().node_pools()


def test_twenty_threads_get_one_access_and_one_client(cluster):
    one = cluster()
    with ThreadPoolExecutor(20) as threads:
        accesses = list(threads.map(lambda _: one.access, range(20)))
        clients = list(threads.map(lambda _: one.client(), range(20)))

    assert len(set(map(id, accesses))) == 1
    assert len(set(map(id, clients))) == 1


def test_a_forked_child_makes_its_own_client(cluster):
    one = cluster()
    parents = one.client(), one.access

    child = os.fork()
    if child == 0:
        os._exit(0 if one.client() is not parents[0] and one.access is not parents[1] else 1)
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    assert one.client() is parents[0]


def test_coroutines_of_one_loop_get_one_client_and_another_loop_its_own(cluster):
    one = cluster()

    async def ten():
        clients = await asyncio.gather(*(one.async_client() for _ in range(10)))
        await clients[0].close()
        return clients

    first, second = asyncio.run(ten()), asyncio.run(ten())

    assert len(set(map(id, first))) == 1
    assert second[0] is not first[0]


def test_a_client_that_somebody_closed_is_not_handed_out_again(cluster):
    one = cluster()

    async def twice():
        first = await one.async_client()
        await first.close()
        second = await one.async_client()
        closed = second.rest_client.pool_manager.closed
        await second.close()
        return first is second, closed

    assert asyncio.run(twice()) == (False, False)


@pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")
def test_the_sockets_of_a_closed_loop_are_closed_at_the_next_use(cluster):
    ended = threading.Event()

    class Open(socketserver.StreamRequestHandler):
        def handle(self):
            self.connection.settimeout(20)
            while self.rfile.readline() not in {b"\r\n", b""}:
                pass
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
            if self.rfile.readline() == b"":
                ended.set()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Open) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        one = cluster(auth={"toy": {"server": f"http://127.0.0.1:{server.server_address[1]}"}})
        kept = []

        async def ask():
            kept.append(await one.async_client())
            await kept[0].request("GET", kept[0].configuration.host + "/api", _preload_content=True)

        async def look():
            await (await one.async_client()).close()

        asyncio.run(ask())
        asyncio.run(look())
        closed = ended.wait(10)
        server.shutdown()
        thread.join(5)

    assert closed
    assert kept[0].rest_client.pool_manager.closed
    assert len(one._loops) == 1


def test_an_unknown_profile_is_answered_with_the_nearest(cluster):
    one = cluster(nodePools={"profiles": {"l4": {"instanceTypes": ["g6.xlarge"]}}})

    with pytest.raises(UnknownProfileError) as caught:
        one.profile("l4x")

    assert str(caught.value) == ("cluster 'a' has no node-pool profile named 'l4x' (argument); did you mean 'l4'?")
    assert one.profile("l4").instance_types == ("g6.xlarge",)


def test_limits_are_none_where_the_registry_is_silent(cluster):
    limits = cluster(nodePools={"limits": {"pools": 4}}).limits

    assert (limits.pools, limits.nodes, limits.max_lifetime_seconds) == (4, None, None)


def test_a_cordoned_cluster_is_refused_with_its_reason(cluster):
    one = cluster(cordoned={"reason": "upgrade to 1.35", "since": "2026-11-21T08:00:00Z"})

    with pytest.raises(ClusterCordonedError) as caught:
        one.refuse_if_cordoned(NOW)

    assert str(caught.value) == (
        "cluster 'a' is cordoned since 2026-11-21T08:00:00+00:00: upgrade to 1.35; "
        "use another cluster, or lift the cordon in argument"
    )


@pytest.mark.parametrize(("offset", "refused"), [(-1, False), (0, True), (3599, True), (3600, False)])
def test_a_cordon_holds_from_since_until_until(cluster, offset, refused):
    until = (NOW + timedelta(hours=1)).isoformat()
    one = cluster(cordoned={"reason": "upgrade", "since": NOW.isoformat(), "until": until})
    when = NOW + timedelta(seconds=offset)

    if refused:
        with pytest.raises(ClusterCordonedError, match="upgrade"):
            one.refuse_if_cordoned(when)
    else:
        assert one.refuse_if_cordoned(when) is None


def test_a_cluster_that_is_not_cordoned_is_not_refused(cluster):
    assert cluster(cordoned=None).refuse_if_cordoned(NOW) is None


def test_only_the_name_travels(cluster):
    with pytest.raises(TypeError, match="cluster 'a' does not travel; send its name"):
        pickle.dumps(cluster())


@pytest.mark.parametrize("address", ["socks5://proxy:1080", "socks5h://proxy:1080", "http://user@proxy", "http://[::1"])
def test_a_proxy_that_no_client_can_use_is_refused(cluster, address):
    with pytest.raises(
        RegistryDocumentError, match="proxyUrl: must be an http or https address like http://proxy:3128"
    ):
        cluster(network={"proxyUrl": address})


@pytest.mark.parametrize("address", ["http://proxy:3128", "https://10.0.0.1/", "http://[::1]:3128"])
def test_a_proxy_is_an_http_or_https_address(cluster, address):
    assert cluster(network={"proxyUrl": address}).document.network.proxy_url == address


def test_a_proxy_with_a_password_is_refused_with_the_way_out(cluster):
    with pytest.raises(RegistryDocumentError, match=r"a password in an address stands in the registry.*HTTPS_PROXY"):
        cluster(network={"proxyUrl": "http://user:hunter2@proxy:3128"})


def eks_endpoint(document, endpoint):
    made = document(a={"auth": {"eks": {"clusterName": "a", "region": "us-east-1", "endpoint": endpoint}}})
    return load_registry(made)["a"].document.auth.options.endpoint


@pytest.mark.parametrize(
    ("endpoint", "read"), [("https://h/", "https://h"), ("https://h:8443/x//", "https://h:8443/x")]
)
def test_an_eks_endpoint_is_read_without_the_slash_at_its_end(document, endpoint, read):
    assert eks_endpoint(document, endpoint) == read


@pytest.mark.parametrize(
    "endpoint",
    ["https://h?x=1", "https://h#x", "https://user@h", "https://[::1", "https://h:abc", "https:///", "https://h?"],
)
def test_an_eks_endpoint_that_is_more_or_less_than_an_address_is_refused(document, endpoint):
    with pytest.raises(RegistryDocumentError, match="endpoint: must be an address like https://host"):
        eks_endpoint(document, endpoint)
