"""Child processes of this machine: each in a session of its own, none outliving the simulator."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from multicluster.simulator.clock import Clock
from multicluster.simulator.kubernetes.kubelet import guardian

_MARKER = "MULTICLUSTER_SIMULATOR"
_DRAIN_SECONDS = 2.0  # of real time: output still in the pipe after the process and its group have ended
Output = Callable[[int, bytes], None]


class Processes:
    """Starts the processes of one kubelet. A guardian, started with the first of them, ends them should we die."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._marker = f"{_MARKER}={uuid.uuid4()}"
        self._guardian: subprocess.Popen[bytes] | None = None
        self._running: set[ChildProcess] = set()

    @property
    def running(self) -> int:
        """How many children are alive."""
        return len(self._running)

    async def start(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path,
        output: Output,
        interactive: bool = False,
    ) -> ChildProcess:
        """Start a process; `output(descriptor, data)` receives what it writes.

        All output comes as one stream (1), in order; of an interactive one, which also takes input, stderr comes
        apart (2). It gets exactly `env` and a marker, nothing of our own environment. Raises OSError when it cannot
        start.
        """
        self._guard()
        name, _, value = self._marker.partition("=")
        loop = asyncio.get_running_loop()
        transport, protocol = await loop.subprocess_exec(
            lambda: _Protocol(output),
            *argv,
            env={**env, name: value},
            cwd=cwd,
            stdin=subprocess.PIPE if interactive else subprocess.DEVNULL,
            stderr=subprocess.PIPE if interactive else subprocess.STDOUT,
            start_new_session=True,
        )
        child = ChildProcess(transport, protocol, self._clock)
        self._running.add(child)
        self._tell(f"+{child.pid}")
        child.ended.add_done_callback(lambda _: self._forget(child))
        return child

    async def stop(self) -> None:
        """Kill every child."""
        children = list(self._running)
        for child in children:
            child.kill()
        if children:
            await asyncio.wait([child.ended for child in children], timeout=10)

    def dismiss(self) -> None:
        """Let the guardian clean up what is left, and wait for its end. Blocks; for any thread, after `stop`."""
        if self._guardian is not None:
            guardian_process, self._guardian = self._guardian, None
            guardian_process.communicate(timeout=10)

    def _forget(self, child: ChildProcess) -> None:
        self._running.discard(child)
        self._tell(f"-{child.pid}")

    def _guard(self) -> None:
        if self._guardian is not None and self._guardian.poll() is None:
            return
        script = [sys.executable, "-I", "-S", guardian.__file__, str(os.getpid()), self._marker, str(self._folder)]
        self._guardian = subprocess.Popen(script, stdin=subprocess.PIPE, start_new_session=True, env={})
        for child in self._running:
            self._tell(f"+{child.pid}")

    def _tell(self, line: str) -> None:
        if self._guardian is not None and self._guardian.stdin is not None:
            try:
                self._guardian.stdin.write(line.encode() + b"\n")
                self._guardian.stdin.flush()
            except OSError:
                self._guardian = None  # it was killed; the next start makes another, which learns all groups


class _Protocol(asyncio.SubprocessProtocol):
    def __init__(self, output: Output) -> None:
        self._output = output
        self.exited: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.drained: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def pipe_data_received(self, fd: int, data: bytes | str) -> None:
        if isinstance(data, bytes):
            self._output(fd, data)

    def process_exited(self) -> None:
        if not self.exited.done():
            self.exited.set_result(None)

    def connection_lost(self, _exc: Exception | None) -> None:
        if not self.drained.done():
            self.drained.set_result(None)


class ChildProcess:
    """One child and everything it has started in its session."""

    def __init__(self, transport: asyncio.SubprocessTransport, protocol: _Protocol, clock: Clock) -> None:
        self.pid = int(transport.get_pid() or 0)
        self.ended: asyncio.Task[int] = asyncio.ensure_future(self._end())
        self._transport = transport
        self._protocol = protocol
        self._clock = clock

    async def wait(self) -> int:
        """Return the exit code once it has ended and its output was read: negative for a signal."""
        return await asyncio.shield(self.ended)

    async def stop(self, grace: float) -> int:
        """Ask it to end (SIGTERM), kill it after `grace` seconds; return the exit code.

        As the first process of a container's own PID namespace, it does not get signals it has no handler for.
        """
        if _handles(self.pid, signal.SIGTERM):
            self._signal(signal.SIGTERM)
        patience = asyncio.ensure_future(self._clock.sleep(grace))
        try:
            await asyncio.wait({self.ended, patience}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            patience.cancel()
        self.kill()
        return await self.wait()

    def kill(self) -> None:
        """Kill it and its group at once."""
        self._signal(signal.SIGKILL)

    def write(self, data: bytes) -> None:
        """Write to its standard input."""
        pipe = self._transport.get_pipe_transport(0)
        if isinstance(pipe, asyncio.WriteTransport) and not pipe.is_closing():
            pipe.write(data)

    def close_stdin(self) -> None:
        """End its standard input."""
        pipe = self._transport.get_pipe_transport(0)
        if isinstance(pipe, asyncio.WriteTransport):
            pipe.write_eof() if pipe.can_write_eof() else pipe.close()

    async def _end(self) -> int:
        await self._protocol.exited
        self._kill_group()  # what the first process leaves behind dies with it, as in a container
        await asyncio.wait({self._protocol.drained}, timeout=_DRAIN_SECONDS)
        code = self._transport.get_returncode()
        self._transport.close()
        return -signal.SIGKILL if code is None else code

    def _signal(self, number: signal.Signals) -> None:
        if self._transport.get_returncode() is None:
            _signal_group(self.pid, number)

    def _kill_group(self) -> None:
        _signal_group(self.pid, signal.SIGKILL)


def _handles(pid: int, number: signal.Signals) -> bool:
    """Whether a process has a handler for a signal; where /proc does not tell, yes."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return True
    caught = next((line for line in status.splitlines() if line.startswith("SigCgt:")), "SigCgt: 0")
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)


def _signal_group(group: int, number: signal.Signals) -> None:
    """Signal a session we started; group 0 and 1 would mean others."""
    if group <= 1:
        return
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return
