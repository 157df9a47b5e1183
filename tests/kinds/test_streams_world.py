from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from kubernetes.client import CoreV1Api
from kubernetes.client.exceptions import ApiException
from kubernetes.stream import portforward, stream
from kubernetes.watch import Watch
from kubernetes_asyncio.client import CoreV1Api as AsyncCoreV1Api

from multicluster.access.async_client import async_client
from multicluster.access.kind import ClusterContext, Network
from multicluster.access.sync_client import sync_client
from multicluster.errors import CredentialError
from multicluster.kinds.kubeconfig.access import KubeconfigAccess
from multicluster.kinds.kubeconfig.options import KubeconfigOptions

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p"},
    "spec": {
        "restartPolicy": "Never",
        "containers": [{"name": "main", "image": "busybox", "command": ["sleep", "60"]}],
    },
}


@pytest.fixture
def access(world, tmp_path):
    world.add_plain("plain")
    path = tmp_path / "config"
    path.write_text(json.dumps(world.kubeconfig()))
    context = ClusterContext(name="plain", network=Network(read_timeout=10))
    return KubeconfigAccess(KubeconfigOptions(path=str(path), context="plain"), context)


@pytest.fixture
def core(access):
    return CoreV1Api(sync_client(access, name="plain"))


@pytest.fixture
def pod(core):
    core.create_namespaced_pod("default", POD)
    for event in Watch().stream(core.list_namespaced_pod, "default", timeout_seconds=20):
        if event["object"].status.phase == "Running":
            return "p"
    pytest.fail("the pod never ran")


def run(core, *command, **options):
    return stream(
        core.connect_get_namespaced_pod_exec,
        "p",
        "default",
        command=list(command),
        stdout=True,
        stderr=True,
        stdin=False,
        tty=False,
        **options,
    )


def test_exec_returns_the_output(core, pod):
    assert run(core, "echo", "hello") == "hello\n"


def test_exec_may_be_read_piece_by_piece_as_stock_airflow_does(core, pod):
    open_stream = run(core, "echo", "hello", _preload_content=False)
    said = ""
    while open_stream.is_open():
        open_stream.update(timeout=1)
        if open_stream.peek_stdout():
            said += open_stream.read_stdout()
    open_stream.close()

    assert (said, open_stream.returncode) == ("hello\n", 0)


def test_exec_may_be_binary(core, pod):
    assert run(core, "printf", "x", binary=True) == b"x"


def test_a_command_that_does_not_end_in_time_is_an_error_and_not_half_an_output(core, pod):
    with pytest.raises(ApiException, match="did not end within"):
        run(core, "tail", "-f", "/dev/null", _request_timeout=0.5)


def test_a_refused_exec_has_its_status(core, world):
    with pytest.raises(ApiException) as caught:
        run(core, "true")
    assert caught.value.status == 404


def test_exec_survives_one_401_and_explains_two(core, pod, world):
    world.inject("unauthorized", operation="(get|create) pods/exec")
    survived = run(core, "echo", "again")
    world.inject("unauthorized", operation="(get|create) pods/exec", times=2)

    assert survived == "again\n"
    with pytest.raises(CredentialError, match="refused two tokens"):
        run(core, "true")


def test_exec_of_one_thread_leaves_the_requests_of_others_alone(core, pod):
    def work(i):
        if i % 2:
            return run(core, "echo", str(i)).strip()
        return str(i) if core.read_namespaced_pod("p", "default").metadata.name == "p" else "?"

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(40))) == [str(i) for i in range(40)]


def test_the_client_is_as_before_after_an_exec(core, pod):
    before = core.api_client.request
    run(core, "true")

    assert core.api_client.request == before


def test_port_forward_asks_for_the_websocket_of_the_pod(core):
    with pytest.raises(ApiException) as caught:
        portforward(core.connect_get_namespaced_pod_portforward, "p", "default", ports="80")
    assert caught.value.status == 404


def test_logs_are_followed(core, pod, world):
    spec = {"restartPolicy": "Never", "containers": [{"name": "main", "image": "b", "command": ["echo", "done"]}]}
    core.create_namespaced_pod("default", {**POD, "metadata": {"name": "logs"}, "spec": spec})
    world.wait(lambda: core.read_namespaced_pod("logs", "default").status.phase == "Succeeded")
    lines = core.read_namespaced_pod_log("logs", "default", follow=True, _preload_content=False)

    assert b"".join(lines.stream()) == b"done\n"


def test_the_async_client_reads_watches_and_follows(access, core, pod):
    async def main():
        async with await async_client(access, name="plain") as client:
            api = AsyncCoreV1Api(client)
            found = await api.read_namespaced_pod("p", "default")
            log = await api.read_namespaced_pod_log("p", "default", _preload_content=False)
            return found.metadata.name, log.status

    assert asyncio.run(main()) == ("p", 200)
