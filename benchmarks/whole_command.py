"""Run a whole command and watch it from outside: how long it takes, and how much memory it and its children hold."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

SAMPLE_SECONDS = 0.1


@dataclass(frozen=True, kw_only=True)
class Watched:
    """What a command cost."""

    seconds: float
    held: float
    """MB, the highest sum over the process and all its descendants; a page that several share counts once (PSS)."""
    resident: float
    """MB, the same where a shared page counts for each of those who share it (RSS)."""


def watch(command: list[str], *, folder: Path, environment: Mapping[str, str] | None = None) -> Watched:
    """Run *command* to its end; raise RuntimeError with what it printed when it does not exit 0."""
    started = time.monotonic()
    held = resident = 0
    with (folder / "output.txt").open("w+") as output:
        process = psutil.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment)
        while True:
            now = _memory(process)
            held, resident = max(held, now[0]), max(resident, now[1])
            try:
                code = process.wait(timeout=SAMPLE_SECONDS)
                break
            except psutil.TimeoutExpired:
                continue
        seconds = time.monotonic() - started
        if code:
            output.seek(0)
            raise RuntimeError(f"{command} ended with {code}:\n{output.read()}")
    return Watched(seconds=seconds, held=held / 1e6, resident=resident / 1e6)


def _memory(process: psutil.Process) -> tuple[int, int]:
    """Return PSS and RSS, bytes; outside Linux, which alone tells what is shared, RSS twice."""
    held = resident = 0
    try:
        for member in (process, *process.children(recursive=True)):
            memory = member.memory_full_info()
            held += getattr(memory, "pss", memory.rss)
            resident += memory.rss
    except psutil.NoSuchProcess:
        pass  # it ended while it was looked at; the next sample sees the rest
    return held, resident
