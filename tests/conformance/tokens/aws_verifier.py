"""AWS's own verifier as a program: both releases, built from `infra/testbed/verifier`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from multicluster.simulator import World

TESTBED = Path(__file__).resolve().parents[3] / "infra" / "testbed"
MODULES = {"v06": "v06.mod", "v07": "go.mod"}


class NotBuiltError(Exception):
    """The verifier cannot be built here; the message says why."""


def build(release: str) -> Path:
    """Let the testbed's launcher build the program, once for its sources. Raises NotBuiltError where there is no Go."""
    if shutil.which("go") is None:
        raise NotBuiltError("Go is not installed, so AWS's token verifier is not built")
    if go("mod", "download", f"-modfile={MODULES[release]}").returncode:
        raise NotBuiltError("the modules of AWS's token verifier cannot be downloaded")
    command = [str(TESTBED / "run"), "build", "--verifier", release, "--output", "json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr
    return Path(json.loads(done.stdout)["verifier"])


def go(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Go where the verifier's sources are."""
    environment = {**os.environ, "CGO_ENABLED": "0"}
    return subprocess.run(
        ["go", *arguments],
        cwd=TESTBED / "verifier",
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )


@dataclass(frozen=True, kw_only=True)
class Verifier:
    """One release, asking the STS of a world."""

    release: str
    program: Path
    world: World

    def judge(
        self, tokens: Sequence[str], *, cluster: str, region: str, partition: str = "aws"
    ) -> list[dict[str, Any]]:
        """Return what it says of each token; nobody is mapped to a Kubernetes user."""
        done = subprocess.run(
            [*self._command(cluster, region, partition), "-check"],
            input="\n".join(map(json.dumps, tokens)),
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return [json.loads(line) for line in done.stdout.splitlines()]

    def _command(self, cluster: str, region: str, partition: str) -> list[str]:
        place = [f"-cluster={cluster}", f"-region={region}", f"-partition={partition}"]
        return [str(self.program), *place, *ways(self.world)]


def ways(world: World) -> list[str]:
    """Write where the verifier finds STS, and whom it trusts."""
    ca = world.root / "world-ca.pem"
    ca.write_bytes(world.ca.pem)
    return [f"-sts={urlsplit(world.aws_url).netloc}", f"-ca={ca}"]
