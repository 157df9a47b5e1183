from __future__ import annotations

import os
import pickle
import socket
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from kubernetes.client import Configuration, CoreV1Api
from kubernetes.client.exceptions import ApiException
from kubernetes.watch import Watch
from urllib3.exceptions import HTTPError

from multicluster.access.cached_tokens import CachedTokens
from multicluster.access.sync_client import sync_client
from multicluster.access.token import Finding
from multicluster.errors import ClusterUnreachableError, CredentialError


@pytest.fixture
def core(access):
    return CoreV1Api(sync_client(access, name="gpu"))


def refuse(*refused, answer):
    return lambda request: answer(status=401) if request.headers["authorization"] in refused else answer()


def test_every_request_carries_the_token(core, server):
    core.list_namespaced_pod("ml")

    assert server.tokens() == ["Bearer token-1"]


def test_pain_01_a_client_that_outlives_its_token_sends_a_new_one(core, server, clock):
    core.list_namespaced_pod("ml")
    clock.move(20 * 60)
    core.list_namespaced_pod("ml")

    assert server.tokens() == ["Bearer token-1", "Bearer token-2"]


def test_pain_01_one_401_is_answered_by_one_replay(core, server, answer):
    server.answer = refuse("Bearer token-1", answer=answer)

    core.list_namespaced_pod("ml")

    assert server.tokens() == ["Bearer token-1", "Bearer token-2"]


def test_a_create_is_replayed_after_a_401_because_it_was_not_acted_upon(core, server, answer):
    server.answer = refuse("Bearer token-1", answer=answer)

    core.create_namespaced_pod("ml", {"metadata": {"name": "p"}}, _preload_content=False)

    assert [(request.method, request.path) for request in server.recorded] == [
        ("POST", "/api/v1/namespaces/ml/pods")
    ] * 2


def test_pain_01_a_second_401_is_a_credential_error_after_exactly_two_requests(core, server, answer):
    server.answer = lambda _: answer(status=401)

    with pytest.raises(CredentialError, match=r"cluster 'gpu' .* refused two tokens .* role airflow, 0 s old"):
        core.list_namespaced_pod("ml")
    assert server.tokens() == ["Bearer token-1", "Bearer token-2"]


def test_a_second_401_is_looked_into_once(core, server, answer, source):
    questions = []
    source.inquire = lambda: questions.append("why") or Finding(text="STS knows the signer.")
    server.answer = lambda _: answer(status=401)

    with pytest.raises(CredentialError, match=r"STS knows the signer\.$"):
        core.list_namespaced_pod("ml")
    assert questions == ["why"]


def test_nobody_is_asked_about_a_401_that_a_new_token_heals(core, server, answer, source):
    questions = []
    source.inquire = lambda: questions.append("why") or Finding(text="")
    server.answer = refuse("Bearer token-1", answer=answer)

    core.list_namespaced_pod("ml")

    assert (server.tokens(), questions) == (["Bearer token-1", "Bearer token-2"], [])


def test_a_refusal_names_a_clock_that_is_wrong(core, server, answer):
    server.answer = lambda _: answer(status=401, headers={"Date": "Sat, 01 Jan 2000 00:00:00 GMT"})

    with pytest.raises(CredentialError, match=r"clock is \d+ s ahead of the server's"):
        core.list_namespaced_pod("ml")


def test_other_refusals_stay_what_they_are(core, server, answer):
    server.answer = lambda _: answer(status=403, body=b"{}")

    with pytest.raises(ApiException) as caught:
        core.list_namespaced_pod("ml")
    assert caught.value.status == 403
    assert len(server.recorded) == 1


@pytest.mark.parametrize("refused", [(403, b"{}"), (404, b""), (500, b"broken"), (302, b"")])
@pytest.mark.parametrize("preload", [True, False])
def test_a_refused_handshake_of_exec_is_an_answer_with_its_status(core, server, answer, preload, refused):
    from kubernetes.stream import stream

    status, body = refused
    server.answer = lambda _: answer(status=status, body=body)

    with pytest.raises(ApiException) as caught:
        stream(core.connect_get_namespaced_pod_exec, "p", "ml", command=["true"], _preload_content=preload)
    assert (caught.value.status, caught.value.body) == (status, body.decode())


def test_an_answer_that_is_passed_on_is_not_its_own_cause(core, server, answer):
    server.answer = lambda _: answer(status=404, body=b"{}")

    with pytest.raises(ApiException) as caught:
        core.list_namespaced_pod("ml")
    assert (caught.value.status, caught.value.__cause__) == (404, None)


def test_a_request_that_the_stock_client_cannot_make_is_its_own_error(core):
    with pytest.raises(ApiException, match="Cannot prepare a request"):
        core.api_client.call_api("/x", "POST", header_params={"Content-Type": "text/plain"}, body=5)


def test_a_client_without_token_gets_a_credential_error_at_once(server, endpoint, make_access, answer):
    server.answer = lambda _: answer(status=401)

    with pytest.raises(CredentialError, match="client certificate"):
        CoreV1Api(sync_client(make_access(endpoint, None), name="gpu")).list_namespaced_pod("ml")
    assert len(server.recorded) == 1


def test_many_threads_refused_with_one_token_mint_one_more(core, server, source, answer):
    server.answer = refuse("Bearer token-1", answer=answer)

    with ThreadPoolExecutor(50) as pool:
        list(pool.map(lambda _: core.list_namespaced_pod("ml"), range(50)))

    assert source.mints == 2


def test_a_cluster_that_moved_is_found_again(serve, ca, access, endpoint):
    moved_to = serve(ca, name="elsewhere")
    access.current = replace(endpoint, server="https://127.0.0.1:1")
    access.next_endpoint = replace(endpoint, server=moved_to.url)
    core = CoreV1Api(sync_client(access, name="gpu"))

    core.list_namespaced_pod("ml")

    assert access.fresh_questions == 1
    assert moved_to.tokens() == ["Bearer token-1"]


def test_a_rotated_certificate_authority_is_asked_for_again(access, endpoint, ca, serve):
    other = serve(type(ca)())
    access.current = replace(endpoint, server=other.url)
    access.next_endpoint = replace(access.current, ca_pem=None)
    client = sync_client(access, name="gpu")

    with pytest.raises(ClusterUnreachableError, match="CERTIFICATE_VERIFY_FAILED"):
        CoreV1Api(client).list_namespaced_pod("ml")
    assert access.fresh_questions == 1
    assert other.recorded == []


def test_an_unknown_host_name_is_asked_for_again_and_then_unreachable(access, endpoint):
    access.current = access.next_endpoint = replace(endpoint, server="https://gone.invalid")

    with pytest.raises(ClusterUnreachableError, match=r"cluster 'gpu': no usable answer from https://gone\.invalid"):
        CoreV1Api(sync_client(access, name="gpu")).list_namespaced_pod("ml")
    assert access.fresh_questions == 1


def test_unreachable_is_an_error_that_stock_airflow_retries(access, endpoint):
    from airflow.providers.cncf.kubernetes.kubernetes_helper_functions import _should_retry_api

    access.current = access.next_endpoint = replace(endpoint, server="https://127.0.0.1:1")

    with pytest.raises(HTTPError) as caught:
        CoreV1Api(sync_client(access, name="gpu")).list_namespaced_pod("ml")
    assert _should_retry_api(caught.value)
    assert caught.value.transient


def call(core, verb):
    if verb == "get":
        core.read_namespaced_pod("p", "ml")
    elif verb == "list":
        core.list_namespaced_pod("ml")
    elif verb == "watch":
        list(Watch().stream(core.list_namespaced_pod, "ml"))
    elif verb == "log":
        core.read_namespaced_pod_log("p", "ml", follow=True, _preload_content=False)
    else:
        from kubernetes.stream import stream

        stream(core.connect_get_namespaced_pod_exec, "p", "ml", command=["true"], _preload_content=False)


VERBS = ["get", "list", "watch", "log", "exec"]


@pytest.mark.parametrize("verb", VERBS)
def test_pain_34_silence_after_the_handshake_ends_in_time(core, server, silence, verb):
    core.api_client._access.current = replace(core.api_client._access.current, read_timeout=0.2)
    core = CoreV1Api(sync_client(core.api_client._access, name="gpu"))
    server.answer = lambda _: silence

    with pytest.raises(ClusterUnreachableError):
        call(core, verb)
    assert len(server.recorded) == 1


@pytest.mark.parametrize("verb", VERBS)
def test_pain_34_silence_before_the_handshake_ends_in_time(black_hole, endpoint, make_access, tokens, verb):
    endpoint = replace(endpoint, server=black_hole.url, connect_timeout=0.2, read_timeout=0.2)
    core = CoreV1Api(sync_client(make_access(endpoint, tokens), name="gpu"))

    with pytest.raises(ClusterUnreachableError):
        call(core, verb)


def test_a_time_out_of_the_caller_wins(core, server, silence):
    server.answer = lambda _: silence

    with pytest.raises(ClusterUnreachableError, match=r"read timeout=0\.(0|1)"):
        core.list_namespaced_pod("ml", _request_timeout=0.1)


def test_a_stale_connection_is_no_error_for_a_read(core, server):
    core.list_namespaced_pod("ml")
    closing = core.api_client._link.pool.connection_from_url(server.url)
    connection = closing._get_conn()
    connection.sock.shutdown(socket.SHUT_RDWR)
    closing._put_conn(connection)

    core.list_namespaced_pod("ml")

    assert len(server.recorded) == 2


def test_a_forked_child_opens_connections_of_its_own(core, server):
    core.list_namespaced_pod("ml")
    child = os.fork()
    if child == 0:
        try:
            core.list_namespaced_pod("ml")
            os._exit(0)
        except BaseException:  # noqa: BLE001  a child must not run the rest of the tests
            os._exit(1)

    _, status = os.waitpid(child, 0)
    core.list_namespaced_pod("ml")

    assert status == 0
    assert len(server.recorded) == 3


def test_pain_12_nothing_global_changes(access, monkeypatch):
    before = (dict(os.environ), Configuration._default, socket.getdefaulttimeout())

    CoreV1Api(sync_client(access, name="gpu")).list_namespaced_pod("ml")

    assert before == (dict(os.environ), Configuration._default, socket.getdefaulttimeout())


def test_pain_35_a_client_needs_no_file(core, tmp_path, monkeypatch):
    opened = []

    def watch(event, args):
        if event == "open" and isinstance(args[0], str) and args[1] and set(args[1]) & set("wax+"):
            opened.append(args[0])

    import sys

    sys.addaudithook(watch)
    core.list_namespaced_pod("ml")
    done = list(opened)

    assert done == []


def test_pain_12_three_clusters_and_twenty_threads_never_mix(serve, ca, access, clock, source):
    class Named:
        def __init__(self, name):
            self.name = name

        def mint(self):
            return replace(source.mint(), value=self.name)

    servers = {name: serve(ca, name=name) for name in ("a", "b", "c")}
    cores = {
        name: CoreV1Api(
            sync_client(
                type(access)(replace(access.current, server=server.url), CachedTokens(Named(name), clock=clock)),
                name=name,
            )
        )
        for name, server in servers.items()
    }
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda i: cores["abc"[i % 3]].list_namespaced_pod("ml"), range(600)))

    assert {name: set(server.tokens()) for name, server in servers.items()} == {
        name: {f"Bearer {name}"} for name in servers
    }


def test_pain_19_the_server_name_for_tls_may_differ_from_the_address(serve, ca, endpoint, make_access, tokens):
    server = serve(ca, name="api.internal")
    named = replace(endpoint, server=server.url, tls_server_name="api.internal")
    wrong = replace(endpoint, server=server.url, tls_server_name="other.internal")

    CoreV1Api(sync_client(make_access(named, tokens), name="gpu")).list_namespaced_pod("ml")

    with pytest.raises(ClusterUnreachableError, match="Hostname mismatch"):
        CoreV1Api(sync_client(make_access(wrong, tokens), name="gpu")).list_namespaced_pod("ml")
    assert len(server.recorded) == 1


def test_a_client_certificate_is_shown_to_the_server(serve, ca, endpoint, make_access):
    server = serve(ca, name="mtls", clients=True)
    certificate, key = ca.issue("jane")
    jane = replace(endpoint, server=server.url, client_certificate_pem=certificate, client_key_pem=key)

    CoreV1Api(sync_client(make_access(jane, None), name="gpu")).list_namespaced_pod("ml")

    assert server.peers[0]["subject"] == ((("commonName", "jane"),),)
    assert server.context.protocol == ssl.PROTOCOL_TLS_SERVER


def test_pain_12_connections_of_closed_clients_do_not_pile_up(access):
    def descriptors():
        return len(list(Path("/proc/self/fd").iterdir()))

    CoreV1Api(sync_client(access, name="gpu")).api_client.close()
    before = descriptors()
    for _ in range(50):
        client = sync_client(access, name="gpu")
        CoreV1Api(client).list_namespaced_pod("ml")
        client.close()

    assert descriptors() <= before + 60  # the server's side of them closes in its own time
    assert threading.active_count() < 200


def test_the_errors_of_both_clients_pickle():
    from multicluster.access.async_client import UnreachableClientError
    from multicluster.access.sync_client import UnreachableHTTPError

    errors = [UnreachableHTTPError("gone"), UnreachableClientError("gone")]

    assert [str(pickle.loads(pickle.dumps(error))) for error in errors] == ["gone", "gone"]
