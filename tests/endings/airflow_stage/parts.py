"""The processes of the stage: each leads a session of its own, writes a log, and ends with the stage in any case."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from airflow_stage import reaper
from airflow_stage.waiting import until

PATIENCE = 15
"""Seconds for a part to end by itself once it is asked to."""


class Part:
    """One process with all that it starts."""

    def __init__(self, command: Sequence[str], log: Path, env: Mapping[str, str], user: str | None = None) -> None:
        self.name = log.stem
        self.log = log
        with log.open("ab") as sink:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                env=dict(env),
                cwd="/",
                start_new_session=True,
                user=user,
                group=user and _group(user),
                extra_groups=[] if user else None,
            )

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process that leads."""
        self.process.send_signal(number)

    def signal_all(self, number: signal.Signals) -> None:
        """Send a signal to the process and to all that it has started, as when its container is frozen or killed."""
        for pid in reaper.members({self.process.pid}):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def kill(self) -> None:
        """Kill it with all that it has started, and wait until they are gone."""
        self.signal_all(signal.SIGKILL)
        self.process.wait()
        until(self._dead, f"the end of {self.name}")

    def _dead(self) -> bool:
        self.signal_all(signal.SIGKILL)  # also what was started meanwhile
        return not reaper.members({self.process.pid})

    def await_end(self, seconds: float) -> bool:
        """Wait for the process to end by itself, and say whether it did."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
        return not self.running

    def tail(self, lines: int = 25) -> str:
        """Return the end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def _group(user: str) -> int:
    import pwd

    return pwd.getpwnam(user).pw_gid


class Parts:
    """All processes of the stage, and the reaper that outlives a killed test run."""

    def __init__(self, *, folder: Path | None = None) -> None:
        """Let the reaper remove *folder* when all have ended."""
        self._all: list[Part] = []
        self._reaper = subprocess.Popen(
            [sys.executable, "-P", reaper.__file__], stdin=subprocess.PIPE, text=True, start_new_session=True
        )
        if folder is not None:
            self._tell(str(folder))

    def start(self, command: Sequence[str], log: Path, env: Mapping[str, str], user: str | None = None) -> Part:
        """Start a process that ends with the stage, whatever ends that."""
        part = Part(command, log, env, user)
        self._tell(str(part.process.pid))
        self._all.append(part)
        return part

    def _tell(self, line: str) -> None:
        if self._reaper.stdin is not None:
            self._reaper.stdin.write(f"{line}\n")
            self._reaper.stdin.flush()

    def stop(self) -> int:
        """End all of them, the last one started first; returns how many could not be ended."""
        last = [part for part in reversed(self._all) if part.running]
        for part in last:
            part.signal_all(signal.SIGCONT)
            part.signal(signal.SIGTERM)
        limit = time.monotonic() + PATIENCE
        for part in last:
            part.await_end(max(limit - time.monotonic(), 0.1))
        if self._reaper.stdin is not None:
            self._reaper.stdin.close()
        for part in last:
            part.await_end(PATIENCE)
        return self._reaper.wait(reaper.LIMIT + PATIENCE)
