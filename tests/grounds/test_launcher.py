"""The launcher as the world asks it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from multicluster.grounds.launcher import Launcher, TestbedError
from multicluster.grounds.lifeline import Lifeline

HOLDER = """
import sys
from pathlib import Path
from multicluster.grounds.lifeline import Lifeline
lifeline = Lifeline(sys.argv[2:], Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.read()
"""


def test_an_answer_is_read(launcher: Launcher, orders: Path) -> None:
    assert launcher.ask("node", "add", "n1") == {"verb": "node"}
    assert orders.read_text() == f"node add n1 --home {launcher.home} --output json\n"


def test_an_answer_that_not_all_is_well_is_an_answer(launcher: Launcher) -> None:
    assert launcher.ask("status") == {"good": False}


def test_a_refusal_is_raised_with_its_last_words(launcher: Launcher) -> None:
    with pytest.raises(TestbedError, match="testbed refuse: first line / no room for it"):
        launcher.ask("refuse")


def test_a_launcher_that_is_not_there_is_an_error_of_the_testbed(tmp_path: Path) -> None:
    with pytest.raises(TestbedError, match="none"):
        Launcher(command=tmp_path / "none", home=tmp_path).ask("up")


def test_a_killed_process_still_has_its_command_run(tmp_path: Path) -> None:
    said = tmp_path / "said"
    os.mkfifo(said)
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "log"), "sh", "-c", f"echo ended > {said}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        holder.stdout.readline()
        holder.kill()

    assert said.read_text() == "ended\n"  # blocks until somebody writes


def test_a_dismissed_lifeline_runs_nothing(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    lifeline = Lifeline(["touch", str(mark)], tmp_path / "log")

    lifeline.dismiss()
    lifeline.dismiss()

    assert [
        process for process in psutil.process_iter(["cmdline"]) if str(mark) in (process.info["cmdline"] or [])
    ] == []
    assert not mark.exists()
