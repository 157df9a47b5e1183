"""What `make` promises before anything is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


@pytest.fixture
def checkout(tmp_path):
    """A checkout with nothing installed, and a stamp for every file that set-up depends on."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    return tmp_path


def make(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    command = ["make", "--no-print-directory", *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)


def set_up(checkout: Path, *stamps: str) -> None:
    """Leave the stamps that a finished set-up leaves, newer than all they depend on."""
    (checkout / ".venv").mkdir()
    newest = max(path.stat().st_mtime for path in checkout.rglob("*"))
    for stamp in (".python", *stamps):
        path = checkout / ".venv" / stamp
        path.touch()
        os.utime(path, (newest + 10, newest + 10))


def test_help_names_every_target_of_a_person(checkout):
    result = make(checkout, "help")

    named = {line.split()[1] for line in result.stdout.splitlines()}
    assert {"help", "demo", "test", "lint", "bench", "clean", "requirements"} <= named


def test_a_python_that_is_too_old_is_refused_with_the_way_out(checkout):
    old = checkout / "old-python"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.18 && exit 0\nexit 1\n')
    old.chmod(0o755)

    result = make(checkout, "demo", f"PYTHON={old}")

    assert result.returncode != 0
    assert "needs Python 3.11 or newer" in result.stderr
    assert "Python 3.9.18" in result.stderr
    assert "make PYTHON=/path/to/python3.12 demo" in result.stderr
    assert not (checkout / ".venv").exists()


def test_a_finished_set_up_is_not_done_again(checkout):
    set_up(checkout, ".demo")

    assert "pip install" not in make(checkout, "--dry-run", "demo").stdout


@pytest.mark.parametrize("changed", ["requirements/demo.txt", "pyproject.toml", "requirements/installer.txt"])
def test_a_change_of_what_is_installed_sets_up_again(checkout, changed):
    set_up(checkout, ".demo")
    stamp = (checkout / ".venv" / ".demo").stat().st_mtime
    os.utime(checkout / changed, (stamp + 10, stamp + 10))

    assert "pip install" in make(checkout, "--dry-run", "demo").stdout


def test_the_demo_needs_nothing_of_development(checkout):
    planned = make(checkout, "--dry-run", "demo").stdout

    assert "requirements/demo.txt" in planned
    assert "requirements/dev.txt" not in planned
