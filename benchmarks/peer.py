"""A child process that answers commands: JSON, one line each."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

CHILDREN = Path(__file__).parent / "children"
LONGEST = 480
"""Seconds after which a child is killed, so that one that hangs ends the run with an error."""


class Peer:
    """A script of ``children/``; ended, and waited for, at the end of the block."""

    def __init__(self, script: str, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(CHILDREN / script), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self._guard = threading.Timer(LONGEST, self._process.kill)
        self._guard.daemon = True
        self._guard.start()

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def tell(self, command: str, *arguments: object) -> None:
        """Send a command."""
        if self._process.stdin is None:
            raise RuntimeError("started without a pipe")
        self._process.stdin.write(json.dumps([command, *arguments]) + "\n")
        self._process.stdin.flush()

    def hear(self) -> Any:
        """Wait for an answer. Raises RuntimeError when the process ends instead."""
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise RuntimeError(f"{self._process.args} ended with {self._process.wait()}")
        return json.loads(line)

    def ask(self, command: str, *arguments: object) -> Any:
        """Send a command and wait for its answer."""
        self.tell(command, *arguments)
        return self.hear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        finally:
            self._guard.cancel()
