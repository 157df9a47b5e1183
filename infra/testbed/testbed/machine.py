"""Process 1 of a node: a machine of its own that shares this one's kernel and network.

It runs in a PID and a mount namespace, so its end is the end of everything in it: kubelet, containerd, shims, pods and
all their mounts. Its argument is a JSON file, see ``node.boot_plan``.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

OWN = ("/run", "/var/log", "/var/lib/kubelet", "/var/lib/cni")
"""Places that kubelet, containerd and CNI use whatever they are told: each node has its own; no home stands there."""
PLACE = "/run/node"
"""The node's folder under a short name: the path of a socket holds 107 bytes."""
CONTAINERD_SECONDS = 90.0


def main() -> int:
    """Boot, then wait for children until one that matters ends."""
    plan = json.loads(Path(sys.argv[1]).read_text())
    isolate(plan["name"], Path(sys.argv[1]).parent)
    containerd = spawn(plan["containerd"], plan["logs"], "containerd")
    client = plan["ctr"]
    answers(client, containerd)
    subprocess.run([*client, *plan["images"]], check=True, stdout=subprocess.DEVNULL)
    kubelet = spawn(plan["kubelet"], plan["logs"], "kubelet")
    return reap({containerd.pid: "containerd", kubelet.pid: "kubelet"})


def isolate(name: str, folder: Path) -> None:
    """Give the machine its name and its own places; whatever is mounted from here on stays here."""
    socket.sethostname(name[:63])
    for place in OWN:
        Path(place).mkdir(parents=True, exist_ok=True)
        mount("-t", "tmpfs", "-o", "mode=0755", "testbed", place)
    Path(PLACE).mkdir()
    mount("--bind", str(folder), PLACE)
    mount("--make-rshared", "/")


def mount(*words: str) -> None:
    """Mount something in this namespace."""
    subprocess.run(["mount", *words], check=True)


def spawn(command: list[str], logs: str, name: str) -> subprocess.Popen[bytes]:
    """Start a child whose output goes to its own log."""
    with Path(logs, f"{name}.log").open("ab") as log:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def answers(client: list[str], containerd: subprocess.Popen[Any]) -> None:
    """Wait until containerd answers."""
    end = time.monotonic() + CONTAINERD_SECONDS
    while subprocess.run([*client, "version"], capture_output=True, check=False).returncode:
        if containerd.poll() is not None or time.monotonic() > end:
            sys.exit("containerd does not start; see containerd.log beside this one")
        time.sleep(0.03)


def reap(children: dict[int, str]) -> int:
    """Take in every process that ends, orphans too, as process 1 must; end with the first that matters."""
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid in children:
            code = os.waitstatus_to_exitcode(status)
            how = f"with exit code {code}" if code >= 0 else f"by signal {-code}"
            sys.stderr.write(f"{children[pid]} has ended {how}; so does the node\n")
            return 1


if __name__ == "__main__":
    sys.exit(main())
