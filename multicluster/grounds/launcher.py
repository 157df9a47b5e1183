"""Run the testbed's launcher: a command that answers in JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from multicluster.simulator.fleet import NodeError

TIMEOUT_SECONDS = 400
"""More than the launcher's own patience with all that one verb waits for."""


class TestbedError(NodeError):
    """The launcher did not do what it was asked; the message ends with its own last words."""

    __test__ = False


@dataclass(frozen=True, kw_only=True)
class Launcher:
    """The launcher, for one testbed. Safe to use from several threads at a time."""

    command: Path
    home: Path

    def words(self, *verb: str) -> list[str]:
        """Return a whole command line."""
        return [str(self.command), *verb, "--home", str(self.home), "--output", "json"]

    def ask(self, *verb: str) -> dict[str, Any]:
        """Run a verb and return its answer. Blocks, up to minutes; raises TestbedError."""
        environment = {"PYTHON": sys.executable, **os.environ}
        try:
            done = subprocess.run(
                self.words(*verb),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=TIMEOUT_SECONDS,
                check=False,
                env=environment,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise TestbedError(f"testbed {' '.join(verb[:3])}: {error}") from error
        try:
            answer: dict[str, Any] = json.loads(done.stdout)
        except ValueError:  # it answers when it did what it was asked, also if all is not well
            raise TestbedError(f"testbed {' '.join(verb[:3])}: {last_words(done.stderr)}") from None
        return answer


def last_words(text: str, lines: int = 3) -> str:
    """Return the last lines that say something, in one."""
    return " / ".join([line.strip() for line in text.splitlines() if line.strip()][-lines:])
