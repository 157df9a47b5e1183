"""Run a command and leave none of its processes behind: ``python -m multicluster.cli.demo.guard MARK COMMAND...``.

Standard input is the lifeline: when it closes (whoever held it stopped or died), or on SIGINT and SIGTERM, the command
is interrupted, then terminated, then killed, and with it every process that carries MARK (``NAME=value``) in its
environment. Where it was the end of whoever had started this process, the folder that MARK names goes too.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

PATIENCE = 6.0
"""Seconds for the command to end by itself once interrupted."""


def main(arguments: Sequence[str]) -> int:
    """Guard the command to its end; returns its exit code."""
    (mark, *command), parent = arguments, os.getppid()
    asked = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda _number, _frame: asked.set())
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603 - as asked
    threading.Thread(target=_watch_lifeline, args=(asked,), daemon=True).start()
    threading.Thread(target=_watch_process, args=(process, asked), daemon=True).start()
    asked.wait()
    end(process, mark)
    if os.getppid() != parent:
        shutil.rmtree(mark.partition("=")[2], ignore_errors=True)
    return process.wait()


def _watch_lifeline(asked: threading.Event) -> None:
    while os.read(0, 4096):
        pass
    asked.set()


def _watch_process(process: subprocess.Popen[bytes], asked: threading.Event) -> None:
    process.wait()
    asked.set()


def end(process: subprocess.Popen[bytes], mark: str, *, patience: float = PATIENCE) -> None:
    """End the process, its group and all that carry the mark; returns when they are gone."""
    _signal_group(process.pid, signal.SIGINT)
    _wait(process, patience)
    _signal_group(process.pid, signal.SIGTERM)
    for pid in marked(mark):
        _signal(pid, signal.SIGTERM)
    _until_gone(process, mark, patience / 2)
    _signal_group(process.pid, signal.SIGKILL)
    for pid in marked(mark):
        _signal(pid, signal.SIGKILL)
    _until_gone(process, mark, patience / 2)


def marked(mark: str) -> list[int]:
    """Return the processes, other than this one, with the mark in their environment (Linux; elsewhere none)."""
    needle = mark.encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            carries = needle in (entry / "environ").read_bytes().split(b"\0")
        except OSError:
            continue  # gone meanwhile, or another user's
        if carries and int(entry.name) != os.getpid():
            found.append(int(entry.name))
    return found


def _wait(process: subprocess.Popen[bytes], seconds: float) -> None:
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)


def _until_gone(process: subprocess.Popen[bytes], mark: str, seconds: float) -> None:
    limit = time.monotonic() + seconds
    while time.monotonic() < limit and (process.poll() is None or marked(mark)):
        _wait(process, 0.1) if process.poll() is None else time.sleep(0.1)


def _signal_group(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
