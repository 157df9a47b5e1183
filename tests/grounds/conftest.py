from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from multicluster.grounds.launcher import Launcher
from multicluster.simulator.host import Host

SCRIPT = """#!/bin/sh
echo "$@" >> "{log}"
case "$1" in
  refuse) echo 'first line' >&2; echo 'no room for it' >&2; exit 1;;
  status) echo '{{"good": false}}'; exit 1;;
esac
echo '{{"verb": "'$1'"}}'
"""


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    """Where the launcher that plays the testbed's notes what it was asked."""
    return tmp_path / "orders"


@pytest.fixture
def command(tmp_path: Path, orders: Path) -> Path:
    file = tmp_path / "run"
    file.write_text(SCRIPT.format(log=orders))
    file.chmod(0o700)
    return file


@pytest.fixture
def launcher(command: Path, tmp_path: Path) -> Launcher:
    return Launcher(command=command, home=tmp_path / "home")


@pytest.fixture
def host() -> Iterator[Host]:
    made = Host()
    yield made
    made.stop()
