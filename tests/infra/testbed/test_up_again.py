"""``up`` where a testbed runs already, wholly or in part: nothing that is in it is ever lost."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from testbed import cluster, control_plane, processes, state
from testbed.errors import LauncherError
from testbed.home import Home

from .api_server import described, serving
from .residue import content


def runs(monkeypatch, *parts):
    """Let the kernel say that these parts run, and no other."""
    found = [processes.Marked(pid=number, part=part) for number, part in enumerate(parts, 1)]
    monkeypatch.setattr(processes, "marked", lambda _, part="": [one for one in found if part in {"", one.part}])
    monkeypatch.setattr(processes, "start", lambda *_, **__: pytest.fail("started"))
    monkeypatch.setattr(cluster, "down", lambda _: pytest.fail("a testbed that runs was cleared"))


def test_an_api_server_that_is_slow_is_waited_for(tmp_path, monkeypatch):
    runs(monkeypatch, *control_plane.PARTS)
    asked = []

    def answers(_method, path, _body):
        asked.append(path)
        return (
            (200, {"ready": True}) if path != "/readyz" or asked.count(path) > 2 else (500, {"message": "etcd is slow"})
        )

    with serving(Home.at(tmp_path / "home"), answers) as present:
        assert cluster.up(Home.at(tmp_path / "home"), cluster.Wanted(cluster_name="c")) == present

    assert asked.count("/readyz") == 3


def test_an_api_server_that_answers_no_more_is_said_with_the_way_out(tmp_path, monkeypatch):
    runs(monkeypatch, *control_plane.PARTS)
    home = Home.at(tmp_path / "home")
    described(home, port=1)
    monkeypatch.setattr(control_plane, "until", lambda what, *_, **__: (_ for _ in ()).throw(LauncherError(what)))

    with pytest.raises(LauncherError, match=r"does not answer\n.* down --home"):
        cluster.up(home, cluster.Wanted(cluster_name="c"))


def test_what_runs_without_a_state_is_not_cleared(tmp_path, monkeypatch):
    runs(monkeypatch, "etcd")

    with pytest.raises(LauncherError, match="there is no testbed"):
        cluster.up(Home.at(tmp_path / "home"), cluster.Wanted())


def test_what_an_interrupted_start_left_is_cleared(tmp_path, monkeypatch):
    home = Home.at(tmp_path / "home")
    state.save(home, replace(described(home, port=1), complete=False))
    runs(monkeypatch, "etcd")

    assert cluster.running(home) is None


def test_the_part_that_ended_first_is_quoted(tmp_path, monkeypatch):
    runs(monkeypatch, "kube-apiserver")
    home = Home.at(tmp_path / "home")
    home.logs.mkdir(parents=True)
    (home.logs / "etcd.log").write_text("no space left on device\n")

    with pytest.raises(LauncherError, match=r"(?s)no answer: etcd has ended.*no space left"):
        control_plane.waiting(home, "etcd", "kube-apiserver")("no answer", lambda: None)


@pytest.mark.testbed
@pytest.mark.slow
def test_up_starts_what_has_died_and_loses_nothing(launcher):
    up = launcher("up", "--nodes", "1")
    kubectl = [up["kubectl"], "--kubeconfig", up["kubeconfig"]]
    subprocess.run([*kubectl, "create", "configmap", "kept"], check=True)
    for parts in ([b"registry"], [b"kube-apiserver"], [b"etcd", b"service", b"kube-scheduler"]):
        for pid in pids(launcher.home, parts):
            os.kill(pid, signal.SIGKILL)

        assert launcher.run("status").returncode == 1
        assert launcher("up", "--nodes", "1")["server"] == up["server"]
        assert all(launcher("status")["components"].values())

    subprocess.run([*kubectl, "get", "configmap", "kept"], check=True)
    subprocess.run([*kubectl, "wait", "--for=condition=Ready", "node/cpu-1", "--timeout=120s"], check=True)


def pids(home: Path, parts: list[bytes]) -> list[int]:
    """Find the processes of some parts without the launcher's own code."""
    marks = re.compile(rb"MULTICLUSTER_TESTBED_PART=(%b)\0" % b"|".join(parts))
    found = {
        int(process.name): content(process / "environ") + b"\0"
        for process in Path("/proc").glob("[0-9]*")
        if str(home).encode() in content(process / "environ")
    }
    chosen = [pid for pid, environment in found.items() if marks.search(environment)]
    assert len(chosen) == len(parts)
    return chosen
