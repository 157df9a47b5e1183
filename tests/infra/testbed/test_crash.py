"""Whatever the launcher was doing when it was killed, ``down`` leaves nothing behind, and ``up`` works again."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from .conftest import Launcher
from .residue import below, content, groups, left, links, name

pytestmark = [pytest.mark.testbed, pytest.mark.slow]

UP = ["claimed", "recorded", "bridged", "certified", "etcd", "api-server", "serving", "controllers", "up"]
JOINING = ["node-recorded", "node-certified", "node-started", "node-registered", "node-completed", "node-ready"]
LEAVING = ["node-killed", "node-deleted"]
DOWN = ["killed", "unmounted", "ungrouped", "unbridged", "cleared"]


@dataclass(frozen=True, kw_only=True)
class Pod:
    """A pod as the kernel sees it: a process, a network namespace, and links of this machine."""

    pid: int
    network: str
    links: list[str]


def running_pod(launcher: Launcher) -> Pod:
    """Start a testbed with one pod, and find what the kernel knows of it."""
    up = launcher("up", "--nodes", "1")
    kubectl = [up["kubectl"], "--kubeconfig", up["kubeconfig"]]
    subprocess.run([*kubectl, "run", "one", "--image=busybox:1.36", "--", "sleep", "600"], check=True)
    subprocess.run([*kubectl, "wait", "--for=condition=Ready", "pod/one", "--timeout=120s"], check=True)
    members = [Path(path) / "cgroup.procs" for path, _, _ in below("/sys/fs/cgroup") if name(launcher.home) in path]
    pid = min(int(word) for path in members for word in content(path).split())
    veths = [one.removeprefix("link ") for one in links(launcher.home) if "mctb" not in one]
    assert veths
    return Pod(pid=pid, network=str(Path(f"/proc/{pid}/ns/net").readlink()), links=veths)


def test_every_step_is_tried():
    from testbed.checkpoint import Step

    assert {*UP, *JOINING, *LEAVING, *DOWN} == set(Step)


@pytest.mark.parametrize("step", UP)
def test_down_leaves_nothing_of_an_up_that_was_killed(launcher, step):
    launcher.dies(step, "up", "--nodes", "1")
    assert left(launcher.home) != []

    launcher("down")

    assert left(launcher.home) == []


def test_a_node_that_was_killed_while_joining_or_leaving_can_be_removed(launcher):
    launcher("up", "--nodes", "0")
    for step in JOINING:
        launcher.dies(step, "node", "add", f"in-{step}")
        launcher("node", "remove", f"in-{step}")
    for step in LEAVING:
        launcher("node", "add", f"in-{step}")
        launcher.dies(step, "node", "remove", f"in-{step}")
        launcher("node", "remove", f"in-{step}")

    assert launcher("status")["nodes"] == []
    assert launcher("status")["good"]
    assert [link for link in links(launcher.home) if "mctb" not in link] == []
    assert [group for group in groups(launcher.home) if "/in-" in group] == []


@pytest.mark.parametrize("step", JOINING)
def test_down_leaves_nothing_of_a_node_that_was_killed_while_joining(launcher, step):
    launcher.dies(step, "up", "--nodes", "1")

    launcher("down")

    assert left(launcher.home) == []


@pytest.mark.parametrize("step", DOWN)
def test_down_goes_on_where_another_was_killed(launcher, step):
    launcher("up", "--nodes", "1")
    launcher.dies(step, "down")

    launcher("down")

    assert left(launcher.home) == []


def test_up_works_over_what_a_crash_left(launcher):
    launcher.dies("controllers", "up", "--nodes", "1")

    launcher("up", "--nodes", "1")

    assert launcher("status")["good"]


@pytest.mark.parametrize("damage", ["unreadable", "half", "gone", "everything"])
def test_down_needs_no_state_to_end_what_runs(launcher, damage):
    pod = running_pod(launcher)
    if damage == "unreadable":
        (launcher.home / "state.json").write_text("{")
    elif damage == "half":
        (launcher.home / "state.json").write_text('{"cluster_name": "x"}')
    elif damage == "gone":
        (launcher.home / "state.json").unlink()
    else:
        shutil.rmtree(launcher.home)

    launcher("down")

    assert left(launcher.home) == []
    assert not Path(f"/proc/{pod.pid}").exists()
    assert pod.network not in Path("/proc/self/mountinfo").read_text()
    assert [link for link in pod.links if Path(f"/sys/class/net/{link}").exists()] == []
