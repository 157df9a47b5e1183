"""The ground of the testbed: a real Kubernetes, reached by the commands of `infra/testbed/run`."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from .ground import Ground, Taint

ROOT = Path(__file__).resolve().parents[4]
LAUNCHER = ROOT / "infra" / "testbed" / "run"


class NoTestbedError(Exception):
    """There is no running testbed; the message says why."""


class TestbedCluster:
    """A running testbed whose users carry client certificates."""

    __test__ = False

    def kubeconfig(self, user: str, groups: tuple[str, ...]) -> dict[str, Any]:
        """Have a certificate issued and return the kubeconfig that holds it."""
        options = [option for group in groups for option in ("--group", group)]
        path = run("kubeconfig", "--user", user, *options)["kubeconfig"]
        document: dict[str, Any] = yaml.safe_load(Path(path).read_text())
        return document

    def add_node(self, name: str, gpus: int, labels: Mapping[str, str], taints: Iterable[Taint]) -> None:
        """Start a kubelet, and wait until its node is ready."""
        options = [option for key, value in labels.items() for option in ("--label", f"{key}={value}")]
        for taint in taints:
            options += ["--taint", f"{taint['key']}={taint.get('value', '')}:{taint['effect']}"]
        run("node", "add", name, "--gpus", str(gpus), *options)

    def remove_node(self, name: str) -> None:
        """Stop a kubelet and delete its node."""
        run("node", "remove", name)


def run(*arguments: str) -> dict[str, Any]:
    """Run one command of the launcher and return what it tells. Raises `NoTestbedError` with its words."""
    command = [str(LAUNCHER), *arguments, "--output", "json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=400, check=False)
    told: dict[str, Any] = json.loads(done.stdout) if done.stdout else {}
    if done.returncode:
        raise NoTestbedError(told.get("problem") or done.stderr.strip())
    return told


@contextmanager
def testbed() -> Iterator[Ground]:
    """Take the testbed that runs. Raises `NoTestbedError` where there is none."""
    run("status")
    folder = Path(tempfile.mkdtemp(prefix="conformance-testbed-"))
    ground = Ground(TestbedCluster(), folder)
    try:
        yield ground
    finally:
        ground.close()
        shutil.rmtree(folder, ignore_errors=True)
