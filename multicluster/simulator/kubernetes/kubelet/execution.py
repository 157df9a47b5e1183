"""Commands executed in a running container (`kubectl exec`), with the guard against signalling the host."""

from __future__ import annotations

import asyncio
import re
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

from multicluster.simulator.kubernetes.kubelet.container_start import StartError, refusal
from multicluster.simulator.kubernetes.kubelet.node_services import NodeServices
from multicluster.simulator.kubernetes.kubelet.processes import ChildProcess
from multicluster.simulator.kubernetes.kubelet.running import Running, RunningSidecar, command_line

STDIN, STDOUT, STDERR = 0, 1, 2
EMPTY_XCOM = b"__airflow_xcom_result_empty__\n"
_SIGNALLING = re.compile(
    r"(?<!\w)(kill|killpg|pkill|killall5?|pgrep|skill|snice|xkill|fuser|send_signal|pidfd_send_signal)(?!\w)"
)
_REFUSAL = b"simulator: an exec that signals processes is refused, for it would run on this machine\n"
_REFUSED_CODE = 126
Output = asyncio.Queue["tuple[int, bytes] | None"]


class Execution:
    """One exec: bytes in on `feed`, pairs of channel and bytes out of `output`, the exit code from `run`."""

    def __init__(self, services: NodeServices, running: Running, command: Sequence[str], *, stdin: bool) -> None:
        self.output: Output = asyncio.Queue()
        self._services = services
        self._running = running
        self._command = [str(word) for word in command]
        self._stdin = stdin
        self._typed = b""
        self._refused = asyncio.Event()
        self._child: ChildProcess | None = None
        self._pending: list[bytes] = []
        self._closed = False
        self._input = asyncio.Event()

    def feed(self, data: bytes) -> None:
        """Take standard input. Input that would signal processes ends the exec."""
        self._typed = (self._typed + data)[-4096:]
        self._input.set()
        if isinstance(self._running, RunningSidecar):
            return
        if signals(self._typed.decode(errors="replace")):
            self._refused.set()
        elif self._child is not None:
            self._child.write(data)
        else:
            self._pending.append(data)

    def close_input(self) -> None:
        """Take the end of standard input."""
        self._closed = True
        self._input.set()
        if self._child is not None:
            self._child.close_stdin()

    async def run(self) -> int:
        """Execute and return the exit code; `output` ends with None. Raises `StartError`."""
        try:
            if isinstance(self._running, RunningSidecar):
                return await self._sidecar(self._running)
            return await self._process()
        finally:
            self.output.put_nowait(None)

    async def _process(self) -> int:
        if signals(" ".join(self._command)):
            return self._refuse()
        place = self._running.place
        try:
            child = await self._services.processes.start(
                command_line(self._command, place.mounts, sys.executable),
                env=place.env,
                cwd=place.cwd,
                output=lambda channel, data: self.output.put_nowait((channel, data)),
                interactive=True,
            )
        except (OSError, ValueError) as error:
            raise StartError(
                f'failed to exec in container: failed to start exec "{secrets.token_hex(32)}": OCI runtime exec '
                f"failed: exec failed: unable to start container process: {refusal(self._command[0], error)}: unknown"
            ) from error
        self._child = child
        for data in self._pending:
            child.write(data)
        if self._closed or not self._stdin:
            child.close_stdin()
        return await self._outcome(child)

    async def _outcome(self, child: ChildProcess) -> int:
        refused, over = asyncio.ensure_future(self._refused.wait()), asyncio.ensure_future(self._running.wait())
        ended = asyncio.ensure_future(child.wait())
        try:
            await asyncio.wait({refused, over, ended}, return_when=asyncio.FIRST_COMPLETED)
            if self._refused.is_set():
                return self._refuse()
            if not ended.done():  # the container has ended, and everything in it
                child.kill()
            code = await ended
            return 128 - code if code < 0 else code
        finally:
            for waiting in (refused, over, ended):
                waiting.cancel()
            child.kill()

    async def _sidecar(self, sidecar: RunningSidecar) -> int:
        """Answer the two things Airflow says to its sidecar: read the result, and stop."""
        text = " ".join(self._command)
        if "return.json" in text:
            self.output.put_nowait((STDOUT, _xcom(sidecar.xcom)))
            return 0
        while self._stdin and not self._closed and b"\n" not in self._typed:
            self._input.clear()
            await self._input.wait()
        if b"kill -2" in self._typed or "kill -2" in text:
            sidecar.finish(0)
            return 0
        self.output.put_nowait(
            (STDERR, b"simulator: the XCom sidecar is no process; it only gives its result and stops\n")
        )
        return _REFUSED_CODE

    def _refuse(self) -> int:
        self.output.put_nowait((STDERR, _REFUSAL))
        return _REFUSED_CODE


def signals(text: str) -> bool:
    """Whether a command names a means to signal processes."""
    return _SIGNALLING.search(text) is not None


def _xcom(folder: Path) -> bytes:
    file = folder / "return.json"
    return file.read_bytes() if file.exists() and file.stat().st_size else EMPTY_XCOM
