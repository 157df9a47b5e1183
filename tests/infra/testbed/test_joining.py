"""What a node does that cannot join, or that others write to meanwhile."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from testbed import node, processes
from testbed.api import Api, ApiError, until
from testbed.errors import LauncherError
from testbed.home import Home

from .api_server import described, serving


@pytest.fixture
def home(tmp_path):
    one = Home.at(tmp_path / "home")
    yield one
    processes.kill(one)


def test_where_no_api_server_answers_no_node_is_begun(home):
    state = described(home, port=1)

    with pytest.raises(ApiError, match="silent"):
        node.add(home, state, node.Node(name="gpu-1"))
    assert node.names(home) == []


@pytest.mark.parametrize("first", [LauncherError("the first reason"), OSError("the first reason"), KeyboardInterrupt()])
def test_a_cleanup_that_fails_too_does_not_hide_why(home, monkeypatch, first):
    def fails(*_):
        raise first

    def fails_too(*_):
        raise LauncherError("the second reason")

    monkeypatch.setattr(node, "furnish", fails)
    monkeypatch.setattr(node, "remove", fails_too)
    with serving(home, lambda *_: (200, "ok")) as state, pytest.raises(type(first)) as caught:
        node.add(home, state, node.Node(name="gpu-1"))

    assert caught.value is first


def test_a_machine_ends_where_no_api_server_answers(home):
    state = described(home, port=1)
    (home.nodes / "gpu-1").mkdir(parents=True)
    sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
    processes.start(home, "node/gpu-1", sleep, log=home.logs / "machine.log")

    with pytest.raises(ApiError, match="silent"):
        node.remove(home, state, "gpu-1")
    assert processes.marked(home) == []
    assert node.names(home) == []


def test_taints_that_others_write_meanwhile_are_kept(home):
    known = {"metadata": {"resourceVersion": "1"}, "spec": {"taints": [{"key": node.UNINITIALIZED}]}}
    theirs = {"key": "example.com/startup", "effect": "NoSchedule"}

    def answers(method, _path, body):
        if method == "PATCH" and body["metadata"].get("resourceVersion") == "1":
            known["metadata"]["resourceVersion"] = "2"
            known["spec"]["taints"].append(theirs)
            return 409, {"message": "the object has been modified"}
        if method == "PATCH":
            known["spec"] = body["spec"]
        return 200, known

    with serving(home, answers) as state:
        node.initialize(Api.of(home, state), "/api/v1/nodes/n", {})

    assert known["spec"]["taints"] == [theirs]


def test_no_taint_is_wiped_when_they_cannot_be_read(home):
    asked = []

    def answers(method, *_):
        asked.append(method)
        return 503, {"message": "busy"}

    with serving(home, answers) as state, pytest.raises(ApiError, match=r"answers 503: busy$"):
        node.initialize(Api.of(home, state), "/api/v1/nodes/n", {})

    assert asked == ["GET"]


def test_what_is_no_nodes_name_is_asked_of_nobody(home):
    with serving(home, lambda *_: pytest.fail("asked")) as state, pytest.raises(LauncherError, match="no node's name"):
        node.advertise(home, state, "cpu-1?x=", {})


def test_the_log_is_chosen_when_the_part_has_ended(tmp_path):
    logs = [tmp_path / "machine.log"]

    def alive():
        logs.append(tmp_path / "kubelet.log")
        logs[-1].write_text("failed to load the configuration\n")
        return False

    with pytest.raises(LauncherError, match=r"(?s)kubelet has ended.*failed to load"):
        until("the node", lambda: None, alive=alive, logs=lambda: logs[-1])


def test_the_key_in_a_nodes_kubeconfig_is_for_root_only(home, monkeypatch):
    state = described(home, port=1)
    monkeypatch.setattr(node.cgroups, "create", lambda _: None)
    monkeypatch.setattr(node.network, "plugin_folder", lambda: Path("/usr/lib/cni"))
    monkeypatch.setattr(node, "boot_plan", lambda *_: {})
    one = node.Node(name="n" * 63)
    node.reserve(home, state, one)

    node.furnish(home, state, one, "127.249.1.1", 10250)

    shown = [
        path for path in (home.nodes / one.name).rglob("*") if path.is_file() and b"PRIVATE KEY" in path.read_bytes()
    ]
    access = home.nodes / one.name / "kubeconfig.yaml"
    assert json.loads(access.read_text())["users"][0]["name"] == f"system:node:{one.name}"
    assert {path.stat().st_mode & 0o077 for path in [*shown, access]} == {0}


def test_a_part_that_ends_is_said_with_its_exit_code(tmp_path):
    code = (
        "import subprocess, sys; from testbed import machine\n"
        "child = subprocess.Popen(['sh', '-c', sys.argv[1]]); machine.reap({child.pid: 'kubelet'})"
    )
    environment = {**os.environ, "PYTHONPATH": str(processes.PACKAGES)}

    def said(script):
        command = [sys.executable, "-c", code, script]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stderr

    assert "kubelet has ended with exit code 3" in said("exit 3")
    assert "kubelet has ended by signal 9" in said("kill -9 $$")
