"""The control groups of a testbed's pods, in both versions of the kernel's hierarchy."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from testbed import mounts
from testbed.errors import LauncherError

DEADLINE_SECONDS = 60.0


def hierarchies() -> list[Path]:
    """List where the hierarchies are mounted: one folder (v2), or one for each controller (v1)."""
    return [mount.place for mount in mounts.listed() if mount.kind in {"cgroup", "cgroup2"}]


def controllers() -> set[str]:
    """Name the controllers that groups can be made with: those of v2 stand in a file, those of v1 are mount options."""
    found: set[str] = set()
    for mount in mounts.listed():
        if mount.kind == "cgroup":
            found |= set(mount.options)
        elif mount.kind == "cgroup2":
            found |= set((mount.place / "cgroup.controllers").read_text().split())
    return found


def create(name: str) -> None:
    """Make the group *name* in every hierarchy, with all controllers that can be handed down (v2 asks for that)."""
    for top in hierarchies():
        (top / name).mkdir(parents=True, exist_ok=True)
        words = Path(name).parts
        for depth in range(len(words) + 1):
            hand_down(top.joinpath(*words[:depth]))


def hand_down(group: Path) -> None:
    """Let the groups below this one use its controllers; in v1 they do without asking."""
    try:
        available = (group / "cgroup.controllers").read_text().split()
    except OSError:
        return
    for controller in available:
        with suppress(OSError):
            (group / "cgroup.subtree_control").write_text(f"+{controller}")


def groups(name: str) -> list[Path]:
    """List the groups named *name* (which may lead deeper: ``testbed/node``), with all below them, deepest first."""
    found: list[Path] = []
    for top in hierarchies():
        for folder, _, _ in os.walk(top / name, topdown=False):
            found.append(Path(folder))
    return found


def remove(name: str) -> None:
    """End what still runs in the groups and remove them; without any, nothing happens."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while left := groups(name):
        for group in left:
            for pid in members(group):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            with suppress(OSError):
                group.rmdir()
        if time.monotonic() > deadline:
            raise LauncherError(f"the control group {left[-1]} is still busy with processes {members(left[-1])}")
        time.sleep(0.01)


def members(group: Path) -> list[int]:
    """List the processes of a group; one that is gone has none."""
    try:
        return [int(word) for word in (group / "cgroup.procs").read_text().split()]
    except OSError:
        return []
