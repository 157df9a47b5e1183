"""Choose what the demo's clusters stand on: the simulator, or real Kubernetes testbeds."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from multicluster.errors import MulticlusterError

if TYPE_CHECKING:
    from multicluster.cli.demo.scenarios import Scenario

GROUNDS = ("simulator", "testbed")
LAUNCHER = "MULTICLUSTER_TESTBED_COMMAND"
"""Names the testbed's launcher where it is not in the source tree that this package was installed from."""
NOTICES = {
    "simulator": "on 127.0.0.1: {clusters}; its containers are processes of yours",
    "testbed": "real Kubernetes on 127.0.0.1: {clusters}; root runs its containers, in namespaces of their own",
}
"""What is running where, and what to be careful about, in one line."""


def launcher() -> Path:
    """Return where the testbed's launcher is, or would be."""
    named = os.environ.get(LAUNCHER)
    return Path(named) if named else Path(__file__).resolve().parents[3] / "infra" / "testbed" / "run"


def refusal(ground: str, scenario: Scenario) -> str:
    """Say why a scenario cannot be played on a ground, and what to do; empty when it can."""
    if ground != "testbed":
        return ""
    if scenario.simulator_only:
        return f"--scenario {scenario.name} needs the simulator: {scenario.simulator_only}; leave out --ground testbed"
    return cannot_run(launcher(), platform=sys.platform, root=os.geteuid() == 0)


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Tell a testbed's failure in one line, where its log is among them. Raises MulticlusterError."""
    try:
        yield
    except Exception as error:
        from multicluster.simulator.fleet import NodeError

        if isinstance(error, NodeError):
            raise MulticlusterError(str(error)) from error
        raise


def cannot_run(command: Path, *, platform: str, root: bool) -> str:
    """Say why there can be no testbed here, and what to do; empty when there can."""
    if platform != "linux":
        return f"a testbed needs Linux, and this is {platform}; leave out --ground testbed, or use a Linux machine"
    if not command.is_file():
        return (
            f"no testbed at {command}: it is part of the source tree, not of the package; "
            f"run `make testbed` there, or name its launcher in {LAUNCHER}"
        )
    if not root:
        return "a testbed needs root, for its kubelets: run `sudo make testbed`, then this command with sudo"
    return lacks(ask_preflight(command))


def ask_preflight(command: Path) -> Mapping[str, Any]:
    """Let the launcher look at this machine; an answer that cannot be read is something that is missing, too."""
    try:
        done = subprocess.run(  # noqa: S603 - the project's own launcher
            [str(command), "preflight", "--output", "json"],
            env={"PYTHON": sys.executable, **os.environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        answer: Mapping[str, Any] = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        return {
            "missing": [{"what": f"{command} does not answer ({error})", "remedy": "run `make testbed` to see why"}]
        }
    return answer


def lacks(preflight: Mapping[str, Any]) -> str:
    """Say what a machine lacks for a testbed; empty when it lacks nothing."""
    missing = [f"{one['what']} ({one['remedy']})" for one in preflight.get("missing", ())]
    if missing:
        return f"no testbed can run here yet: {'; '.join(missing)}; then run `make testbed`"
    return "" if preflight.get("built") else "the testbed is not built yet: run `make testbed` (about four minutes)"
