"""Clear away what was started when whoever started it is gone: ``python reaper.py``, told on standard input.

A line with a number names a session, one with a path a folder. Each process of the stage leads a session; all that it
starts stays in it, also what writes over its own environment and command line. Standard input is the lifeline: when it
closes, every process of the sessions is killed and every folder removed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import time
from pathlib import Path

LIMIT = 20.0
"""Seconds until what cannot be killed (it waits for a disk, say) is given up."""


def main() -> int:
    """Hear of sessions until nobody is left to tell; returns how many of their processes could not be ended."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # whoever sends them to a whole group means the others
    told = [line.strip() for line in sys.stdin]
    sessions = {int(line) for line in told if line.isdigit()}
    limit = time.monotonic() + LIMIT
    while left := members(sessions):
        if time.monotonic() > limit:
            break
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
    for folder in told:
        if folder.startswith("/"):
            shutil.rmtree(folder, ignore_errors=True)
    return len(left)


def members(sessions: set[int]) -> list[int]:
    """Return the living processes of the sessions."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            state, _, _, session, *_ = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # gone meanwhile
        if int(session) in sessions and state != "Z":
            found.append(int(entry.name))
    return found


if __name__ == "__main__":
    sys.exit(main())
