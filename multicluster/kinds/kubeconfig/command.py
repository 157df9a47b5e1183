"""Run a command that may hang, print without end, or leave children behind."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

GLANCE_SECONDS = 0.05
"""How often to look whether the command has ended while a child of it holds its output open."""
MOST_BYTES = 1 << 20
CHUNK = 1 << 16


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a command ended, and what it said."""

    code: int
    stdout: bytes = field(repr=False)
    stderr: bytes = field(repr=False)


class RunawayError(Exception):
    """The command was killed with all that it started; says why."""


def run(command: Sequence[str], *, environment: Mapping[str, str], seconds: float) -> Ended:
    """Run *command* without input; blocks until it has ended, whatever its children do.

    Raises OSError when it cannot be started, RunawayError when it takes longer than *seconds* or prints too much.
    """
    with subprocess.Popen(  # noqa: S603  the caller decides what may run
        command,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            return _listen(process, time.monotonic() + seconds)
        except BaseException:
            _kill_group(process)
            raise


def _listen(process: subprocess.Popen[bytes], deadline: float) -> Ended:
    said = {"stdout": bytearray(), "stderr": bytearray()}
    with selectors.DefaultSelector() as ready:
        for name, stream in (("stdout", process.stdout), ("stderr", process.stderr)):
            if stream is not None:
                ready.register(stream, selectors.EVENT_READ, said[name])
        while ready.get_map():
            ended = process.poll() is not None
            events = ready.select(0 if ended else GLANCE_SECONDS)
            if ended and not events:
                break  # a child holds the pipes; the command itself has said all
            for key, _ in events:
                chunk = os.read(key.fd, CHUNK)
                key.data.extend(chunk)
                if not chunk:
                    ready.unregister(key.fileobj)
            _check(deadline, said)
    return Ended(code=_wait(process, deadline), stdout=bytes(said["stdout"]), stderr=bytes(said["stderr"]))


def _check(deadline: float, said: Mapping[str, bytearray]) -> None:
    if time.monotonic() > deadline:
        raise RunawayError("it took too long")
    if any(len(text) > MOST_BYTES for text in said.values()):
        raise RunawayError(f"it printed more than {MOST_BYTES} bytes")


def _wait(process: subprocess.Popen[bytes], deadline: float) -> int:
    try:
        return process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise RunawayError("it took too long") from None


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill the command and what it started, unless it has ended: its id may belong to somebody else then."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
