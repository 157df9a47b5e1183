"""When all is over, nothing is left at work; and when the tests are killed, nothing of the stage is."""

from __future__ import annotations

import subprocess
import sys

import pytest
from airflow_stage import reaper
from airflow_stage.parts import Parts
from airflow_stage.waiting import until

pytestmark = pytest.mark.endings


def test_no_pod_of_ours_is_left_at_work(stage):
    ours = {play.namespace: play.script for play in stage.plays.values() if play.script.operator == "ours"}
    left = {name for name in ours if set(stage.pods().get(name, {}).values()) & {"Pending", "Running"}}

    assert stage.made.keys() & ours.keys()
    assert left == set()


HOLDER = """
import os, sys
from pathlib import Path
from airflow_stage.parts import Parts
parts = Parts(folder=Path(sys.argv[1]).parent)
script = "import setproctitle, subprocess; setproctitle.setproctitle('x' * 999); subprocess.run(['sleep', '600'])"
part = parts.start([sys.executable, "-c", script], Path(sys.argv[1]), os.environ)
print(part.process.pid, flush=True)
sys.stdin.read()
"""


def test_a_test_run_that_is_killed_leaves_no_process_and_no_folder_of_the_stage(tmp_path):
    home = tmp_path / "stage"
    home.mkdir()
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(home / "part.log")],
        env={"PYTHONPATH": ":".join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    session = int(holder.stdout.readline())
    until(lambda: len(reaper.members({session})) > 1, "the part's own child")
    holder.kill()
    holder.communicate()

    until(lambda: not reaper.members({session}) and not home.exists(), "the end of the part")
    assert (reaper.members({session}), home.exists()) == ([], False)


def test_parts_that_are_stopped_are_gone(tmp_path):
    parts = Parts()
    part = parts.start([sys.executable, "-c", "import signal; signal.pause()"], tmp_path / "part.log", {})

    assert parts.stop() == 0
    assert reaper.members({part.process.pid}) == []
