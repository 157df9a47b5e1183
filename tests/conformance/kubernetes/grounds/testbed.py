"""The ground of the testbed: a real Kubernetes, reached by the commands of `infra/testbed/run`."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from multicluster.cli.demo.workshop import cache_folder
from multicluster.grounds.launcher import Launcher, TestbedError

from .ground import Ground, Taint

ROOT = Path(__file__).resolve().parents[4]
HOME = os.environ.get("MULTICLUSTER_TESTBED_HOME") or cache_folder() / "testbed" / "default"
LAUNCHER = Launcher(command=ROOT / "infra" / "testbed" / "run", home=Path(HOME))
NONE = "no testbed runs; start one: make testbed"


class NoTestbedError(Exception):
    """There is no running testbed; the message says why."""


class TestbedCluster:
    """A running testbed whose users carry client certificates."""

    __test__ = False

    def kubeconfig(self, user: str, groups: tuple[str, ...]) -> dict[str, Any]:
        """Have a certificate issued and return the kubeconfig that holds it."""
        options = [option for group in groups for option in ("--group", group)]
        path = LAUNCHER.ask("kubeconfig", "--user", user, *options)["kubeconfig"]
        document: dict[str, Any] = yaml.safe_load(Path(path).read_text())
        return document

    def add_node(self, name: str, gpus: int, labels: Mapping[str, str], taints: Iterable[Taint]) -> None:
        """Start a kubelet, and wait until its node is ready."""
        options = [option for key, value in labels.items() for option in ("--label", f"{key}={value}")]
        for taint in taints:
            options += ["--taint", f"{taint['key']}={taint.get('value', '')}:{taint['effect']}"]
        LAUNCHER.ask("node", "add", name, "--gpus", str(gpus), *options)

    def remove_node(self, name: str) -> None:
        """Stop a kubelet and delete its node."""
        LAUNCHER.ask("node", "remove", name)


def require() -> None:
    """Raise `NoTestbedError`, with the reason, unless a testbed runs; nodes come and go."""
    try:
        status = LAUNCHER.ask("status")
    except TestbedError as error:
        raise NoTestbedError(f"{NONE} ({error})") from error
    if "server" not in status:
        raise NoTestbedError(NONE)
    dead = [part for part, runs in status["components"].items() if not runs]
    if dead or status["problem"]:
        raise NoTestbedError(f"the testbed is not whole: {status['problem'] or 'not running: ' + ', '.join(dead)}")


@contextmanager
def testbed() -> Iterator[Ground]:
    """Take the testbed that runs. Raises `NoTestbedError` where there is none."""
    require()
    folder = Path(tempfile.mkdtemp(prefix="conformance-testbed-"))
    ground = Ground(TestbedCluster(), folder)
    try:
        yield ground
    finally:
        ground.close()
        shutil.rmtree(folder, ignore_errors=True)
