"""A testbed of one test's own, reached by its command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

LAUNCHER = Path(__file__).resolve().parents[3] / "infra" / "testbed" / "run"


@pytest.fixture
def launcher(built: None, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Run the launcher's commands with a home of the test's own; whatever it started has ended after the test."""

    def ask(*words: str) -> Any:
        command = [str(LAUNCHER), *words, "--home", str(tmp_path / "testbed"), "--output", "json"]
        environment = {**os.environ, "PYTHON": sys.executable}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=400, check=False)
        assert done.returncode == 0, f"{words}: {done.stderr}"
        return json.loads(done.stdout)

    yield ask
    ask("down")
