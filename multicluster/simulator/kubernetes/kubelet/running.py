"""A container that runs: a child process, or the XCom sidecar, which is none."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from multicluster.simulator.kubernetes.kubelet.log_buffer import LogBuffer
from multicluster.simulator.kubernetes.kubelet.memory import exceeded
from multicluster.simulator.kubernetes.kubelet.processes import ChildProcess
from multicluster.simulator.kubernetes.kubelet.volumes import Mounts

XCOM_SIDECAR = "airflow-xcom-sidecar"
_SIGNALLED = 128


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a container's processes live: folder, environment and mounts. An exec runs in the same place."""

    cwd: Path
    env: Mapping[str, str]
    mounts: Mounts


class Running(Protocol):
    """One start of a container."""

    log: LogBuffer
    place: Place
    out_of_memory: bool

    async def wait(self) -> int:
        """Return the exit code as Kubernetes reports it (128 + number for a signal) once the container has ended."""
        ...

    async def stop(self, grace: float) -> int:
        """End it within `grace` seconds and return the exit code."""
        ...

    def kill(self) -> None:
        """End it at once."""
        ...


class RunningProcess:
    """A container that is a child process."""

    def __init__(self, child: ChildProcess, log: LogBuffer, place: Place, memory: int | None) -> None:
        self.log = log
        self.place = place
        self.out_of_memory = False
        self._child = child
        if memory is not None:
            watch = asyncio.ensure_future(self._limit(memory))
            child.ended.add_done_callback(lambda _: watch.cancel())

    async def wait(self) -> int:
        """See `Running`."""
        return self._reported(await self._child.wait())

    async def stop(self, grace: float) -> int:
        """See `Running`."""
        return self._reported(await self._child.stop(grace))

    def kill(self) -> None:
        """See `Running`."""
        self._child.kill()

    async def _limit(self, memory: int) -> None:
        await exceeded(self._child.pid, memory)
        self.out_of_memory = True
        self._child.kill()

    def _reported(self, code: int) -> int:
        self.log.close()
        return _SIGNALLED - code if code < 0 else code


class RunningSidecar:
    """Airflow's XCom sidecar: it waits to be told to stop. Never a process.

    The real one is a shell loop that Airflow ends with `kill -2 $(pgrep -u $(id -u) -f 'sh')`. Outside a container
    that line signals every process of the user with "sh" in its command line, so it is understood here, never run.
    """

    out_of_memory = False

    def __init__(self, log: LogBuffer, place: Place) -> None:
        self.log = log
        self.place = place
        self._code: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def wait(self) -> int:
        """See `Running`."""
        return await asyncio.shield(self._code)

    async def stop(self, grace: float) -> int:  # noqa: ARG002 - it needs no time
        """See `Running`."""
        self.finish(0)
        return await self.wait()

    def kill(self) -> None:
        """See `Running`."""
        self.finish(_SIGNALLED + 9)

    def finish(self, code: int) -> None:
        """End it with an exit code. Once is enough."""
        if not self._code.done():
            self._code.set_result(code)
            self.log.close()

    @property
    def xcom(self) -> Path:
        """The folder both containers of the pod share."""
        return self.place.mounts.paths.get("/airflow/xcom", self.place.cwd)


def command_line(argv: Sequence[str], mounts: Mounts, python: str) -> list[str]:
    """Return what to execute here for a container's command: real paths, and this Python for `python`."""
    program = argv[0]
    name = program.rpartition("/")[2]
    known = name in ("python", "python3") or (name.startswith("python3.") and name[8:].isdigit())
    first = python if known and not (program.startswith("/") and Path(program).exists()) else mounts.rewritten(program)
    return [first, *(mounts.rewritten(argument) for argument in argv[1:])]
