"""What keeps the machine safe from containers that are processes of it."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

needs_pidfd = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="waits on a process as Linux can")

SIMULATOR = """
import sys, pathlib
from multicluster.simulator.clock import SystemClock
from multicluster.simulator.host import Host
from multicluster.simulator.kubernetes import KubernetesCluster, NodeShape, PodDelays, User

cluster = KubernetesCluster("c", host=Host(), clock=SystemClock(), root=pathlib.Path(sys.argv[1]),
    authenticate=lambda token: User(name="u"), delays=PodDelays(image_pull=0, start=0))
cluster.start()
cluster.add_node("n", NodeShape(capacity={"cpu": "4"}, ready=True))
sleep = "[sys.executable, '-c', 'import time; time.sleep(300)']"
script = f"import os, subprocess, sys, time; child = subprocess.Popen({sleep}, start_new_session=True); " \
    "open(sys.argv[1], 'w').write(f'{os.getpid()} {child.pid}\\\\n'); time.sleep(300)"
container = {"name": "base", "image": "python", "command": ["python", "-c", script, sys.argv[2]]}
cluster.create("pods", {"metadata": {"name": "p"}, "spec": {"containers": [container]}})
sys.stdin.read()
"""


def pids_in(path: Path, process: subprocess.Popen) -> list[int]:
    """Wait for the pids a container writes into a fifo."""
    os.mkfifo(path)
    with path.open() as fifo:
        return [int(pid) for pid in fifo.readline().split()]


def ends(descriptors: list[int], seconds: float = 10.0) -> bool:
    """Whether all processes end in time."""
    for descriptor in descriptors:
        if not select.select([descriptor], [], [], seconds)[0]:
            return False
        os.close(descriptor)
    return True


@needs_pidfd
def test_the_processes_of_a_killed_simulator_die_even_those_that_left_their_session(tmp_path):
    program = [sys.executable, "-c", SIMULATOR, str(tmp_path / "root"), str(tmp_path / "fifo")]
    process = subprocess.Popen(program, stdin=subprocess.PIPE)
    children = [os.pidfd_open(pid) for pid in pids_in(tmp_path / "fifo", process)]

    process.send_signal(signal.SIGKILL)
    process.wait(10)

    assert len(children) == 2
    assert ends(children)


@needs_pidfd
def test_stopping_leaves_no_process_and_no_folder(cluster, new_pod, tmp_path):
    cluster.create(
        "pods",
        new_pod(
            "p",
            "sh",
            "-c",
            "trap '' TERM; sleep 60 & echo $! > $OUT; wait",
            container={"env": [{"name": "OUT", "value": str(tmp_path / "fifo")}]},
        ),
    )
    children = [os.pidfd_open(pid) for pid in pids_in(tmp_path / "fifo", None)]

    cluster.stop()

    assert ends(children)
    assert not (tmp_path / "c").exists()
    cluster.stop()


@needs_pidfd
def test_what_a_container_leaves_behind_dies_with_it(cluster, new_pod, tmp_path):
    script = "sleep 60 & echo $! > $OUT"
    env = {"env": [{"name": "OUT", "value": str(tmp_path / "fifo")}]}
    cluster.create("pods", new_pod("p", "sh", "-c", script, container=env))

    children = [os.pidfd_open(pid) for pid in pids_in(tmp_path / "fifo", None)]

    assert ends(children)


def test_the_api_server_listens_on_the_loopback_only(cluster):
    port = int(cluster.url.rpartition(":")[2])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # sends nothing; finds the address traffic would leave by
        address = probe.getsockname()[0]

    if address.startswith("127."):
        pytest.skip("this machine has no other address")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address, port), timeout=5)


@pytest.mark.parametrize("tool", ["pgrep", "pkill", "killall"])
def test_tools_that_signal_by_name_refuse_in_containers(run_pod, new_pod, core, tool):
    pod = run_pod(new_pod("p", "sh", "-c", f"{tool} -f nothing-is-called-this"))

    assert pod["status"]["phase"] == "Failed"
    assert (
        b"is not available in containers" in core.read_namespaced_pod_log("p", "default", _preload_content=False).data
    )


def test_a_container_runs_in_a_session_of_its_own(run_pod, new_pod, core):
    run_pod(new_pod("p", "python", "-c", "import os; print(os.getsid(0) == os.getpid())"))

    assert core.read_namespaced_pod_log("p", "default", _preload_content=False).data == b"True\n"


def test_an_item_path_does_not_leave_its_volume(cluster, run_pod, new_pod, tmp_path):
    cluster.create("configmaps", {"metadata": {"name": "cm"}, "data": {"k": "v"}})
    volume = {"name": "v", "configMap": {"name": "cm", "items": [{"key": "k", "path": "../../../../escaped"}]}}

    run_pod(new_pod("p", volumes=[volume]))

    assert list(tmp_path.rglob("escaped")) == []
