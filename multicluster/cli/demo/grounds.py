"""Choose what the demo's clusters stand on: the simulator, or real Kubernetes testbeds."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

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
    return ""
