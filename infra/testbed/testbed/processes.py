"""Start processes that carry the mark of their testbed, find them by it, and end them.

The mark stands in the environment, which children inherit: it finds containerd's shims too, needs no file of process
numbers, and cannot meet a stranger that was given a number anew.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from testbed.errors import LauncherError
from testbed.home import Home

MARK = "MULTICLUSTER_TESTBED_MARK"
PART = "MULTICLUSTER_TESTBED_PART"
PACKAGES = Path(__file__).resolve().parents[1]
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where all programs are looked for, whatever the caller's PATH is: sudo's may lack them, a shell's may have others."""
DEADLINE_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Marked:
    """A process of a testbed: the control plane's are parts by name, a node's are all part ``node/NAME``."""

    pid: int
    part: str


def environment(home: Home, part: str) -> dict[str, str]:
    """Give the whole environment of a process: the mark, and nothing of the caller's, a proxy least of all."""
    return {"PATH": PATH, "HOME": "/root", "PYTHONPATH": str(PACKAGES), MARK: str(home.path), PART: part}


def start(home: Home, part: str, command: Sequence[str], *, log: Path) -> subprocess.Popen[bytes]:
    """Start *command* in a session of its own, so that it outlives the launcher; both its outputs go to *log*.

    Return once it is found by its mark: a program that has just been loaded shows no environment for an instant, in
    which it would be taken for dead.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        started = subprocess.Popen(
            list(command),
            env=environment(home, part),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    while started.poll() is None and read(started.pid, home) is None:
        time.sleep(0.001)
    return started


def marked(home: Home, part: str = "") -> list[Marked]:
    """Find the living processes of a testbed, or of one part of it."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    found = [process for pid in pids if (process := read(pid, home)) and part in {"", process.part}]
    return sorted(found, key=lambda process: process.pid)


def read(pid: int, home: Home) -> Marked | None:
    """Read the mark of a process; None for a stranger, and for one that has ended."""
    try:
        words = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return None
    if f"{MARK}={home.path}".encode() not in words:
        return None
    part = next((word for word in words if word.startswith(f"{PART}=".encode())), b"=")
    return Marked(pid=pid, part=part.decode().partition("=")[2])


def kill(home: Home, part: str = "") -> None:
    """End every process of a testbed, or of one part of it, and wait until none is left.

    Raises:
        LauncherError: One does not end, for example because it waits for a disk.

    """
    deadline = time.monotonic() + DEADLINE_SECONDS
    while left := marked(home, part):
        for process in left:
            with pidfd(process.pid) as handle:
                if handle is not None and read(process.pid, home) == process:
                    with suppress(ProcessLookupError):
                        signal.pidfd_send_signal(handle, signal.SIGKILL)
        if time.monotonic() > deadline:
            raise LauncherError(f"these processes do not end: {', '.join(f'{p.pid} ({p.part})' for p in left)}")
        time.sleep(0.02)


@contextmanager
def pidfd(pid: int) -> Iterator[int | None]:
    """Hold on to a process, so that its number cannot become another's; None if it has ended."""
    try:
        handle = os.pidfd_open(pid) if sys.platform == "linux" else None
    except ProcessLookupError:
        handle = None
    try:
        yield handle
    finally:
        if handle is not None:
            os.close(handle)


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a tool of the system to its end.

    Raises:
        LauncherError: It failed, and the message holds what it said; or it is not there.

    """
    try:
        done = subprocess.run(
            command, env={**os.environ, "PATH": PATH}, capture_output=True, text=True, errors="replace", check=False
        )
    except FileNotFoundError as error:
        raise LauncherError(f"the program {command[0]} is missing; see: infra/testbed/run preflight") from error
    if done.returncode:
        raise LauncherError(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
    return done
