"""The launcher of the testbed, as a command and as modules; only these tests import it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

TESTBED = Path(__file__).resolve().parents[3] / "infra" / "testbed"
sys.path.insert(0, str(TESTBED))


@dataclass(frozen=True, kw_only=True)
class Launcher:
    """``infra/testbed/run`` with one home."""

    home: Path

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, whatever that is."""
        return subprocess.run(
            [str(TESTBED / "run"), *words, "--home", str(self.home), "--output", "json"],
            env={**os.environ, "PYTHON": sys.executable, **environment},
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )

    def __call__(self, *words: str) -> Any:
        """Run a command that succeeds, and give what it says."""
        done = self.run(*words)
        assert done.returncode == 0, f"{words}: {done.stderr}"
        return json.loads(done.stdout)

    def dies(self, step: str, *words: str) -> None:
        """Run a command that is killed when it has passed a step."""
        done = self.run(*words, TESTBED_DIE_AT=step)
        assert done.returncode == -signal.SIGKILL, f"{words} does not pass {step}: {done.stdout} {done.stderr}"


@pytest.fixture
def launcher(built: None, tmp_path: Path):
    """A launcher whose testbed is gone after the test, however that ends."""
    one = Launcher(home=tmp_path / "home")
    yield one
    one("down")
