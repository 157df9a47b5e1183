"""What a demo keeps in the folder for temporary files is gone with it, whatever ends it."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from multicluster.cli.demo.abandoned import ALIVE, PREFIX, TemporaryFolder, mark, remove_abandoned

KEEPER = """
import sys
from multicluster.cli.demo.abandoned import TemporaryFolder
made = TemporaryFolder()
(made.path / "airflow.db").write_text("")
print(made.path, made._lifeline._shell.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def killed(place: Path, *, with_its_shell: bool) -> Path:
    """Return the folder of a process that was killed while it used it."""
    process = subprocess.Popen(
        [sys.executable, "-c", KEEPER],
        env={**os.environ, "TMPDIR": str(place)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    folder, shell = process.stdout.readline().split()
    if with_its_shell:
        os.kill(int(shell), signal.SIGKILL)
    process.kill()
    process.communicate()
    return Path(folder)


def until_gone(folder: Path, seconds: float = 60) -> bool:
    limit = time.monotonic() + seconds
    while folder.exists() and time.monotonic() < limit:
        select.select([], [], [], 0.05)
    return not folder.exists()


def test_the_folder_of_a_killed_demo_is_removed_by_what_survives_it(place):
    assert until_gone(killed(place, with_its_shell=False))


def test_the_folder_of_a_demo_killed_with_all_it_had_started_is_removed_by_the_next(place):
    folder = killed(place, with_its_shell=True)
    left = folder.exists()

    following = TemporaryFolder()
    there = list(place.iterdir())
    following.remove()

    assert left
    assert there == [following.path]
    assert list(place.iterdir()) == []


def test_the_folder_of_a_living_demo_is_left_alone(place):
    living = TemporaryFolder()

    removed = remove_abandoned(place)

    assert removed == []
    assert (living.path / ALIVE).exists()
    living.remove()


@pytest.mark.parametrize("what", ["unmarked", "a link", "of another user"])
def test_what_may_be_somebody_elses_is_left_alone(place, what):
    folder = place / f"{PREFIX}x"
    if what == "a link":
        (place / "elsewhere").mkdir()
        mark(place / "elsewhere").close()
        folder.symlink_to("elsewhere")
    else:
        folder.mkdir()
    if what == "of another user":
        if os.geteuid() != 0:
            pytest.skip("only root can give a folder away")
        mark(folder).close()
        os.chown(folder, 12345, 12345)

    assert remove_abandoned(place) == []
    assert folder.exists()
