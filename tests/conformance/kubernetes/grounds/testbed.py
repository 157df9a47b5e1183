"""The ground of the testbed: a real Kubernetes, reached by the commands of `infra/testbed/run`."""

from __future__ import annotations

import json
import os
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
LAUNCHER = os.environ.get("MULTICLUSTER_TESTBED_LAUNCHER", str(ROOT / "infra" / "testbed" / "run"))


class NoTestbedError(Exception):
    """There is no running testbed; the message says why."""


class TestbedCluster:
    """A running testbed whose users carry client certificates."""

    __test__ = False

    def kubeconfig(self, user: str, groups: tuple[str, ...]) -> dict[str, Any]:
        """Have a certificate issued and return the kubeconfig that holds it."""
        options = [option for group in groups for option in ("--group", group)]
        answer = run("kubeconfig", "--user", user, *options)
        document: dict[str, Any] = yaml.safe_load(answer)
        return yaml.safe_load(Path(document["kubeconfig"]).read_text()) if "kubeconfig" in document else document

    def add_node(self, name: str, gpus: int, labels: Mapping[str, str], taints: Iterable[Taint]) -> None:
        """Start a kubelet, and wait until its node is ready."""
        options = [option for key, value in labels.items() for option in ("--label", f"{key}={value}")]
        for taint in taints:
            options += ["--taint", f"{taint['key']}={taint.get('value', '')}:{taint['effect']}"]
        run("node", "add", name, "--gpus", str(gpus), *options)

    def remove_node(self, name: str) -> None:
        """Stop a kubelet and delete its node."""
        run("node", "remove", name)


def run(*arguments: str) -> str:
    """Run one command of the launcher and return its stdout."""
    done = subprocess.run(
        [LAUNCHER, *arguments, "--output", "json"], capture_output=True, text=True, timeout=120, check=False
    )
    if done.returncode:
        raise NoTestbedError(f"testbed {' '.join(arguments)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


@contextmanager
def testbed() -> Iterator[Ground]:
    """Take the testbed that runs. Raises `NoTestbedError` where there is none."""
    if shutil.which(LAUNCHER) is None:
        raise NoTestbedError(f"{LAUNCHER} is not there")
    status = json.loads(run("status"))
    if not status.get("running", True):
        raise NoTestbedError("no testbed runs; `make testbed` starts one")
    folder = Path(tempfile.mkdtemp(prefix="conformance-testbed-"))
    ground = Ground(TestbedCluster(), folder)
    try:
        yield ground
    finally:
        ground.close()
        shutil.rmtree(folder, ignore_errors=True)
