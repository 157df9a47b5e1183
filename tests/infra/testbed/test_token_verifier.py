"""AWS's token verifier as a part of a testbed: it starts before the API server, is watched, and ends with the rest."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from testbed.certificates import Authority

from .residue import left

pytestmark = [pytest.mark.testbed, pytest.mark.slow]


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    Authority.create(tmp_path, "ca")
    mapping = tmp_path / "mapping.json"
    mapping.write_text("{}")
    given = ["-cluster=gpu", "-region=us-east-1", "-sts=127.0.0.1:1", f"-ca={tmp_path}/ca.crt", f"-mapping={mapping}"]
    return ["up", "--nodes", "0", *(f"--verifier-argument={one}" for one in given)]


def pid_of_verifier(home: Path) -> int:
    [pid] = [
        int(process.name)
        for process in Path("/proc").glob("[0-9]*")
        if (process / "cmdline").exists()
        and re.search(rb"/verifier-v07-.*%b" % str(home).encode(), (process / "cmdline").read_bytes())
    ]
    return pid


def test_the_api_server_asks_it_and_hears_no(launcher, words):
    up = launcher(*words)

    command = [up["kubectl"], "--kubeconfig", "/dev/null", "--server", up["server"], "--insecure-skip-tls-verify"]
    done = subprocess.run(
        [*command, "--token", "k8s-aws-v1.x", "get", "pods"], capture_output=True, text=True, check=False
    )

    assert up["judge"].startswith("aws-iam-authenticator v0.7.")
    assert "You must be logged in to the server" in done.stderr
    assert "input token was not properly formatted" in (Path(up["logs"]) / "verifier.log").read_text()
    assert launcher("up", *words[1:])["server"] == up["server"]


def test_killed_it_is_missed_and_up_brings_it_back(launcher, words):
    launcher(*words)
    before = launcher("status")
    os.kill(pid_of_verifier(launcher.home), signal.SIGKILL)
    after = launcher.run("status")
    launcher(*words)

    assert (before["good"], before["components"]["verifier"]) == (True, True)
    assert (after.returncode, '"verifier": false' in after.stdout) == (1, True)
    assert launcher("status")["good"]


def test_down_ends_it_without_any_file(launcher, words):
    launcher(*words)
    (launcher.home / "state.json").unlink()

    launcher("down")

    assert left(launcher.home) == []


def test_what_keeps_it_from_serving_is_said(launcher, words):
    done = launcher.run(*words, "--verifier-argument=-mapping=/nowhere")

    assert done.returncode == 1
    assert "the token verifier does not serve" in done.stderr
    assert "/nowhere" in done.stderr


def test_two_judges_are_one_too_many(launcher, words):
    done = launcher.run(*words, "--authentication-webhook", "/dev/null")

    assert done.returncode == 2
    assert "exclude each other" in done.stderr
