"""Put every cluster of a world on a testbed of its own, and find the testbeds of worlds that died."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from multicluster.grounds.launcher import Launcher
from multicluster.grounds.testbed import TestbedCluster

if TYPE_CHECKING:
    from multicluster.simulator.clock import Clock
    from multicluster.simulator.host import Host
    from multicluster.simulator.verification import Judge

REAL = "a real API server takes no orders from the simulator"
UNABLE = {
    "api-server-hangs": REAL,
    "api-server-error": REAL,
    "unauthorized": REAL,
    "certificate-rotates": REAL,
    "never-ready": "a real kubelet turns Ready as soon as it can",
    "tokens-expire": "a real API server remembers a token that it accepted for up to two minutes",
}
ALIVE = "alive"


class Testbeds:
    """The ground of one world; its testbeds have their homes in a folder of its own under *folder*."""

    __test__ = False

    def __init__(self, *, command: Path, folder: Path, clock: Clock) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.unable = UNABLE
        self._command, self._clock = command, clock
        self._clusters: list[TestbedCluster] = []
        with searching(folder):
            self.folder = Path(tempfile.mkdtemp(prefix="", dir=folder))
            self._lock = lock(self.folder)

    def start(self, host: Host, name: str, judge: Judge, *, rbac: bool) -> TestbedCluster:
        """Start a testbed, which takes seconds; there RBAC is always on. Raises TestbedError."""
        del rbac
        launcher = Launcher(command=self._command, home=self.folder / name)
        cluster = TestbedCluster(name, host=host, clock=self._clock, launcher=launcher, verifier=judge.verifier)
        self._clusters.append(cluster)
        cluster.start()
        return cluster

    def stop(self) -> None:
        """End the testbeds that the world has not ended, also those that did not come up, and take the folder away."""
        for cluster in self._clusters:
            cluster.stop()
        if self._lock is not None:
            self._lock.close()
            self._lock = None
        shutil.rmtree(self.folder, ignore_errors=True)


def lock(folder: Path) -> TextIO | None:
    """Mark a folder as in use for as long as this process lives and the file is open; None when another does."""
    file = (folder / ALIVE).open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file


def end_abandoned(command: Path, folder: Path) -> list[str]:
    """End the testbeds of worlds whose process is gone, and return the names of their clusters. Blocks."""
    if not folder.is_dir():
        return []
    with searching(folder):
        worlds = sorted(one for one in folder.iterdir() if one.is_dir())
        return [name for world in worlds for name in _end_world(command, world)]


def _end_world(command: Path, world: Path) -> list[str]:
    held = lock(world)
    if held is None:
        return []
    with held:
        homes = sorted(one for one in world.iterdir() if one.is_dir())
        for home in homes:
            Launcher(command=command, home=home).ask("down")
        shutil.rmtree(world, ignore_errors=True)
    return [home.name for home in homes]


@contextlib.contextmanager
def searching(folder: Path) -> Iterator[None]:
    """Keep others from looking for abandoned worlds, or from making one that is not marked yet."""
    with (folder / "lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
