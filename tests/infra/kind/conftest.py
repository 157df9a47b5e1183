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
def launcher(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Run the launcher's commands with a home of the test's own; whatever it started has ended after the test."""

    def ask(*words: str) -> Any:
        command = [str(LAUNCHER), *words, "--home", str(tmp_path / "testbed"), "--output", "json"]
        environment = {**os.environ, "PYTHON": sys.executable}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180, check=False)
        assert done.returncode == 0 or words == ("preflight",), f"{words}: {done.stderr}"
        return json.loads(done.stdout)

    found = ask("preflight")
    if found["missing"] or not found["built"]:
        lacking = "; ".join(one["what"] for one in found["missing"]) or "its binaries, which `make testbed` builds"
        pytest.skip(f"no testbed here: {lacking}")
    yield ask
    ask("down")
