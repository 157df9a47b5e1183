"""Commands executed in running containers, and those that are refused."""

from __future__ import annotations

import asyncio
import os
import select

import pytest
from kubernetes.stream import stream

from multicluster.simulator.kubernetes.kubelet.execution import signals

EXEC = "/api/v1/namespaces/default/pods/p/exec"


@pytest.fixture
def running(run_pod, new_pod):
    return run_pod(new_pod("p", "sleep", "60"), "Running")


@pytest.fixture
def execute(core):
    def run(*command, stdin=None, container="base"):
        client = stream(
            core.connect_get_namespaced_pod_exec,
            "p",
            "default",
            container=container,
            command=list(command),
            stdin=stdin is not None,
            stdout=True,
            stderr=True,
            tty=False,
            _preload_content=False,
        )
        if stdin is not None:
            client.write_stdin(stdin)
        client.run_forever(timeout=10)
        code = client.returncode
        return code, client.read_stdout(), client.read_stderr()

    return run


def test_a_command_that_is_not_there_fails(running, execute):
    with pytest.raises(ValueError, match="OCI runtime exec"):
        execute("no-such-program")  # the stock client takes the runtime's words for an exit code


@pytest.mark.parametrize(
    "command",
    [
        ("kill", "-9", "1"),
        ("sh", "-c", "kill -2 $(pgrep -u $(id -u) -f 'sh')"),
        ("pkill", "python"),
        ("killall", "sh"),
        ("python", "-c", "import os; os.kill(1, 0)"),
        ("python", "-c", "import os; os.killpg(0, 9)"),
    ],
)
def test_a_command_that_signals_processes_is_refused(running, execute, command):
    code, _, error = execute(*command)

    assert code == 126
    assert "an exec that signals processes is refused" in error


def test_a_shell_that_is_told_to_signal_is_refused(running, execute):
    code, _, error = execute("sh", stdin="kill -2 $(pgrep -u $(id -u) -f 'sh')\n")

    assert code == 126
    assert "refused" in error


@pytest.mark.parametrize("text", ["cat skills.txt", "ls overkill", "python train.py --kill_switch=off"])
def test_what_only_sounds_like_it_is_not_refused(text):
    assert not signals(text)


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="waits on a process as Linux can")
def test_the_command_of_a_client_that_has_gone_is_ended(running, core):
    client = stream(
        core.connect_get_namespaced_pod_exec,
        "p",
        "default",
        command=["sh", "-c", "echo $$; sleep 60"],
        stdout=True,
        stderr=True,
        stdin=False,
        tty=False,
        _preload_content=False,
    )
    process = os.pidfd_open(int(client.readline_stdout(timeout=5)))
    client.close()

    assert select.select([process], [], [], 10)[0] == [process]
    os.close(process)


def test_the_fifth_protocol_closes_input(running, cluster, api):
    import aiohttp

    async def talk():
        url = cluster.url.replace("https", "wss") + EXEC
        query = [("command", "cat"), ("stdin", "true"), ("stdout", "true"), ("container", "base")]
        headers = {"Authorization": "Bearer good"}
        connector = aiohttp.TCPConnector(ssl=_trusting(api.ca))
        async with (
            aiohttp.ClientSession(connector=connector, headers=headers) as session,
            session.ws_connect(url, params=query, protocols=["v5.channel.k8s.io"]) as socket,
        ):
            await socket.send_bytes(b"\x00hello")
            await socket.send_bytes(b"\xff\x00")
            return socket.protocol, [message.data async for message in socket]

    protocol, messages = asyncio.run(talk())

    assert protocol == "v5.channel.k8s.io"
    assert messages[0] == b"\x01hello"
    assert b'"status": "Success"' in messages[-1]


def _trusting(ca):
    import ssl

    return ssl.create_default_context(cafile=ca)


def test_the_xcom_sidecar_is_no_process_and_stops_when_told(cluster, run_pod, new_pod, execute):
    document = new_pod("p", "sleep", "0.3")
    sidecar = {
        "name": "airflow-xcom-sidecar",
        "image": "alpine",
        "command": ["sh", "-c", "while true; do sleep 1; done"],
    }
    document["spec"]["containers"].append(sidecar)
    run_pod(document, "Running")

    assert cluster.processes == 1
    read = "if [ -s /airflow/xcom/return.json ]; then cat /airflow/xcom/return.json; else echo x; fi"
    assert execute("/bin/sh", "-c", read, container="airflow-xcom-sidecar")[:2] == (
        0,
        "__airflow_xcom_result_empty__\n",
    )
    assert execute("ls", container="airflow-xcom-sidecar")[0] == 126
    told = execute("/bin/sh", stdin="kill -2 $(pgrep -u $(id -u) -f 'sh')\n", container="airflow-xcom-sidecar")
    assert told == (0, "", "")
    cluster.wait_until("pods", lambda pods: pods[0]["status"]["phase"] == "Succeeded")
