"""The guardian: a small process that outlives the simulator by a moment, to end what it has left behind.

Run as a script, with the standard library only. It reads process group ids (`+123`, `-123`) from its standard input.
When that ends, or its parent has gone, it kills the groups still listed and, where /proc tells, every process that
carries the marker in its environment; then it removes the folder of the containers. It signals nothing else.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

_LOOK_EVERY = 1.0
_STDIN = 0


def watch(parent: int) -> set[int]:
    """Keep the list of groups until the parent is gone; return those left."""
    groups: set[int] = set()
    rest = b""
    while os.getppid() == parent:
        if not select.select([_STDIN], [], [], _LOOK_EVERY)[0]:
            continue
        data = os.read(_STDIN, 65536)
        if not data:
            break
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            (groups.add if line.startswith(b"+") else groups.discard)(int(line[1:]))
    return groups


def marked(marker: str) -> Iterator[int]:
    """Find the processes whose environment carries the marker (Linux; elsewhere none)."""
    for entry in Path("/proc").glob("[0-9]*/environ"):
        try:
            carries = marker.encode() in entry.read_bytes().split(b"\0")
        except OSError:
            continue
        if carries:
            yield int(entry.parent.name)


def end(groups: set[int], marker: str) -> None:
    """Kill groups and marked processes."""
    for group in groups:
        _kill(os.killpg, group)
    for process in marked(marker):
        _kill(os.kill, process)


def _kill(kill: Callable[[int, int], None], target: int) -> None:
    try:
        kill(target, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _parent, _marker, _folder = sys.argv[1:]
    end(watch(int(_parent)), _marker)
    shutil.rmtree(_folder, ignore_errors=True)
