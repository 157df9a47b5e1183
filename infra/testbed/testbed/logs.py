"""The logs of a testbed's components, by name."""

from __future__ import annotations

from pathlib import Path

from testbed.errors import LauncherError
from testbed.home import Home


def names(home: Home) -> list[str]:
    """List the components that have a log: ``etcd``, ``cpu-1/kubelet``.

    Raises:
        LauncherError: No testbed ever wrote one here.

    """
    paths = [path.relative_to(home.logs).with_suffix("") for path in home.logs.rglob("*.log")]
    if not paths:
        raise LauncherError(f"there is no testbed at {home.path}, and no log of one; start one: {home.command('up')}")
    return sorted(str(path).removeprefix("nodes/") for path in paths)


def tail(home: Home, component: str, lines: int) -> tuple[Path, list[str]]:
    """Give the path of a component's log, and its last *lines*.

    Raises:
        LauncherError: There is no such log; the message names those that are.

    """
    found = names(home)
    if component not in found:
        raise LauncherError(f"there is no log of {component!r} at {home.path}; there are: {', '.join(found)}")
    folder = home.logs / "nodes" if "/" in component else home.logs
    path = folder / f"{component}.log"
    kept = path.read_text(errors="replace").splitlines()
    return path, kept[-lines:] if lines else []
