"""Processes are found and ended by their mark, and no stranger is."""

from __future__ import annotations

import sys

import pytest

from testbed import processes
from testbed.api import until
from testbed.errors import LauncherError
from testbed.home import Home

SLEEP = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]


@pytest.fixture
def home(tmp_path):
    one = Home.at(tmp_path / "home")
    one.create()
    yield one
    processes.kill(one)


def start(home, part):
    return processes.start(home, part, SLEEP, log=home.logs / f"{part}.log")


def test_a_process_is_found_by_its_home_and_part(home):
    one, other = start(home, "etcd"), start(home, "node/cpu-1")

    assert {found.pid for found in processes.marked(home)} == {one.pid, other.pid}
    assert [found.pid for found in processes.marked(home, "node/cpu-1")] == [other.pid]
    assert processes.marked(Home.at(home.path / "other")) == []


def test_a_process_is_found_as_soon_as_it_is_started(home, monkeypatch):
    read, looks = processes.read, []

    def late(pid, home):  # as the kernel shows a program for the instant in which it is loaded
        looks.append(pid)
        return read(pid, home) if len(looks) > 3 else None

    monkeypatch.setattr(processes, "read", late)
    one = start(home, "etcd")
    monkeypatch.undo()

    assert [found.pid for found in processes.marked(home)] == [one.pid]
    assert looks == [one.pid] * 4


def test_what_ends_at_once_is_not_waited_for(home, monkeypatch):
    monkeypatch.setattr(processes, "read", lambda *_: None)

    ended = processes.start(home, "etcd", ["true"], log=home.logs / "etcd.log")

    assert ended.returncode == 0


def test_a_part_ends_and_the_others_go_on(home):
    one, other = start(home, "node/a"), start(home, "node/ab")

    processes.kill(home, "node/a")

    assert one.wait(timeout=10) == -9
    assert [found.pid for found in processes.marked(home)] == [other.pid]


def test_children_bear_the_mark_and_end_too(home):
    script = f"import subprocess, sys; subprocess.run({SLEEP!r})"
    parent = processes.start(home, "etcd", [sys.executable, "-c", script], log=home.logs / "parent.log")
    log = home.logs / "parent.log"
    until("the child writes", log.read_text, alive=lambda: parent.poll() is None, logs=log, seconds=30)
    assert len(processes.marked(home)) == 2

    processes.kill(home)

    assert parent.wait(timeout=10) == -9
    assert processes.marked(home) == []


def test_a_stranger_with_a_longer_path_is_spared(home, tmp_path):
    stranger = Home(path=home.path.with_name("home-2"))
    spared = processes.start(stranger, "etcd", SLEEP, log=tmp_path / "stranger.log")

    processes.kill(home)

    assert spared.poll() is None
    processes.kill(stranger)


def test_a_process_gets_nothing_of_the_callers_environment(home, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")

    assert set(processes.environment(home, "etcd")) == {
        "PATH", "HOME", "PYTHONPATH", "MULTICLUSTER_TESTBED_MARK", "MULTICLUSTER_TESTBED_PART",
    }  # fmt: skip


def test_tools_are_found_whatever_the_path_of_the_caller_is(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")

    assert processes.run("ls", "/").returncode == 0


def test_a_tool_that_fails_is_quoted_and_one_that_is_absent_named():
    with pytest.raises(LauncherError, match=r"ls: .*no-such-file"):
        processes.run("ls", "/no-such-file")
    with pytest.raises(LauncherError, match="no-such-tool is missing"):
        processes.run("no-such-tool")
